// A job with ten thousand messages, answered by the test in the API's place, because a model that does five thousand
// steps is not waited for. The app, its reading in pages and its timeline are the real ones.
import type { Page } from "@playwright/test";

export const MESSAGES = 10_000;
export const LONG_JOB = "0198c0de-0000-7000-8000-00000000010b";

const MADE = "2026-01-05T08:00:00Z";
const DONE = "2026-01-05T08:00:02Z";
const USAGE = { input: 1200, output: 90, cache_read: 900, cache_write: 0 };

type Row = Record<string, unknown>;

/** By turns: what the model thought, wrote and called, and what the tool answered. */
function message(seq: number): Row {
  const base = { id: idOf(seq, "a"), job_id: LONG_JOB, seq, created_at: MADE };
  const part = (content: Row) => ({ ...content, origin: "model", trust: "untrusted" });
  if (seq === 1) {
    const asked = { type: "text", text: "Go through every module, please.", origin: "person", trust: "trusted" };
    return { ...base, role: "user", parts: [asked] };
  }
  if (seq % 2 === 1) {
    const result = { type: "tool_result", id: `call-${seq - 1}`, text: outputOf(seq - 1), is_error: false };
    return { ...base, role: "tool", parts: [{ ...result, origin: "tool", trust: "untrusted" }] };
  }
  return {
    ...base,
    role: "assistant",
    parts: [
      part({ type: "thinking", text: `Module ${seq} is next.`, redacted: false, signature: null }),
      part({ type: "text", text: proseOf(seq) }),
      part({
        type: "tool_call",
        id: `call-${seq}`,
        name: "bash",
        arguments: { state: "valid", value: { command: `cargo test -p module_${seq}` } },
      }),
    ],
  };
}

function proseOf(seq: number): string {
  const code = seq % 10 === 0 ? "\n\n```rust\nfn main() {\n    run();\n}\n```" : "";
  return `Step ${seq}: the tests of **module_${seq}** come next, because \`lib.rs\` changed.\n\n- one\n- two${code}`;
}

function outputOf(seq: number): string {
  return Array.from({ length: 12 }, (_, line) => `\u001b[32mok\u001b[0m test ${seq}.${line}`).join("\n");
}

function toolCall(seq: number): Row {
  const times = { started_at: MADE, finished_at: DONE };
  return {
    ...times,
    id: idOf(seq, "b"),
    job_id: LONG_JOB,
    message_id: idOf(seq, "a"),
    provider_call_id: `call-${seq}`,
    position: 0,
    name: "bash",
    arguments: { state: "valid", value: { command: `cargo test -p module_${seq}` } },
    status: "succeeded",
    result: outputOf(seq),
    detail: { exit_code: 0 },
  };
}

function modelCall(seq: number): Row {
  const times = { started_at: MADE, finished_at: DONE };
  return {
    ...times,
    id: idOf(seq, "c"),
    job_id: LONG_JOB,
    work_item_id: LONG_JOB,
    model: "sim/claude-haiku-5-5",
    purpose: "run",
    status: "settled",
    outcome: "tool_use",
    cost_micros: 420,
    reserved_micros: 0,
    usage: USAGE,
  };
}

function idOf(seq: number, kind: string): string {
  return `0198c0de-0000-7000-8${kind}00-${String(seq).padStart(12, "0")}`;
}

/** Lets the app find the job; everything else it asks the server. */
export async function serveLongJob(page: Page, agentId: string) {
  const steps = Array.from({ length: MESSAGES / 2 }, (_, step) => (step + 1) * 2);
  const job = {
    id: LONG_JOB,
    work_item_id: LONG_JOB,
    agent_id: agentId,
    conversation_id: LONG_JOB,
    root_id: LONG_JOB,
    parent_id: null,
    retry_of: null,
    status: "completed",
    attempt: 1,
    model: "sim/claude-haiku-5-5",
    failure: null,
    cancel_requested_at: null,
    cost_micros: 420 * steps.length,
    usage: USAGE,
    created_at: MADE,
    started_at: MADE,
    finished_at: DONE,
    effects: [],
    model_call_count: steps.length,
    tool_call_count: steps.length,
  };
  const path = `**/api/v1/jobs/${LONG_JOB}`;
  const list = (items: Row[], next: string | null = null) => ({ json: { items, next_cursor: next } });
  await page.route(path, (route) => route.fulfill({ json: job }));
  await page.route(`${path}/tool-calls*`, (route) => route.fulfill(list(steps.map(toolCall))));
  await page.route(`${path}/model-calls*`, (route) => route.fulfill(list(steps.map(modelCall))));
  await page.route(`**/api/v1/approvals?job_id=${LONG_JOB}*`, (route) => route.fulfill(list([])));
  await page.route(`${path}/messages*`, (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const after = Number(asked.get("cursor") ?? 0);
    const last = Math.min(MESSAGES, after + Number(asked.get("limit") ?? 100));
    const items = Array.from({ length: last - after }, (_, place) => message(after + place + 1));
    return route.fulfill(list(items, last < MESSAGES ? String(last) : null));
  });
}
