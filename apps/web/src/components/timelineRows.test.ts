// What a person reads of a job, made from rows in any state of completeness.
import { describe, expect, it } from "vitest";
import { emptyTranscript, type Message, type ModelCall, type ToolCall, withRows } from "../live/transcript";
import { type Effect, timelineRows } from "./timelineRows";

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 10, 0, second)).toISOString();

function message(seq: number, role: Message["role"], parts: Message["parts"], second = seq): Message {
  return { id: `m${seq}`, job_id: "j", seq, role, parts, created_at: at(second) };
}

const model = { origin: "model", trust: "untrusted" } as const;
const bash = (id: string): Message["parts"][number] => ({
  ...model,
  type: "tool_call",
  id,
  name: "bash",
  arguments: { state: "valid", value: {} },
});
const answered = (id: string): Message["parts"][number] => ({
  origin: "tool",
  trust: "untrusted",
  type: "tool_result",
  id,
  name: "bash",
  text: "ok",
  is_error: false,
});

function modelCall(id: string, from: number, to: number, status: ModelCall["status"] = "settled"): ModelCall {
  return {
    id,
    work_item_id: "w",
    job_id: "j",
    purpose: "turn",
    model: "demo/scripted",
    status,
    usage: { input: 10, output: 2, cache_read: 5, cache_write: 0 },
    reserved_micros: 0,
    cost_micros: 100,
    outcome: null,
    started_at: at(from),
    finished_at: at(to),
  };
}

const STORY = [
  message(1, "user", [
    { origin: "system", trust: "trusted", type: "text", text: "[From Kim in Ops]" },
    { origin: "human", trust: "guest", type: "text", text: "run it" },
  ]),
  message(2, "assistant", [
    { ...model, type: "thinking", text: "hm", signature: null, redacted: false },
    { ...model, type: "text", text: "I run it." },
    bash("call_0"),
  ]),
  message(3, "tool", [answered("call_0")]),
  message(4, "assistant", [{ ...model, type: "text", text: "Done." }]),
];

describe("the rows of a timeline", () => {
  it("are what was said, thought, written and done, without rows for results", () => {
    const rows = timelineRows(withRows(emptyTranscript("j"), { messages: STORY }));
    expect(rows.map((row) => row.kind)).toEqual(["said", "thinking", "prose", "tool", "prose"]);
    expect(rows[0]).toMatchObject({ note: "From Kim in Ops", texts: [{ text: "run it", isQuote: false }] });
    expect(rows[3]).toMatchObject({ record: null, result: { text: "ok" } });
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
  });

  it("say what the server alone told the model as a note", () => {
    const told = message(1, "user", [{ origin: "system", trust: "trusted", type: "text", text: "[Go on.]" }]);
    expect(timelineRows(withRows(emptyTranscript("j"), { messages: [told] }))).toMatchObject([
      { kind: "note", text: "Go on." },
    ]);
  });

  it("carry what the model took beside the first row of its answer, failed tries included", () => {
    const modelCalls = [
      modelCall("a", 1, 2),
      modelCall("b", 3, 3, "failed"),
      modelCall("c", 3, 4),
      modelCall("late", 5, 6),
    ];
    const rows = timelineRows(withRows(emptyTranscript("j"), { messages: STORY, modelCalls }));
    const spent = rows.map((row) => ("spent" in row ? (row.spent?.calls.map((call) => call.id) ?? null) : null));
    expect(spent).toEqual([null, ["a"], null, null, ["b", "c"]]);
    expect(rows[4]).toMatchObject({ spent: { costMicros: 200, input: 30, output: 4, milliseconds: 1000 } });
  });

  it("give a tool call its receipt", () => {
    const record: ToolCall = {
      id: "t",
      job_id: "j",
      message_id: "m2",
      position: 0,
      provider_call_id: "call_0",
      name: "bash",
      arguments: { state: "valid", value: {} },
      status: "running",
      result: null,
      detail: null,
      started_at: at(2),
      finished_at: null,
    };
    const rows = timelineRows(withRows(emptyTranscript("j"), { messages: STORY.slice(0, 2), toolCalls: [record] }));
    expect(rows[3]).toMatchObject({ kind: "tool", record: { id: "t" }, result: null });
  });

  it("put effects where they happened, and those that came last at the end", () => {
    const effect = (id: string, second: number): Effect => ({
      id,
      job_id: "j",
      slot: id,
      integration_id: "i",
      conversation_id: "c",
      action: { kind: "receipt", message_id: "1" },
      status: "sent",
      dead_reason: null,
      detail: null,
      attempts: 1,
      next_attempt_at: at(second),
      expires_at: at(second),
      provider_reference: null,
      created_at: at(second),
      settled_at: null,
    });
    const rows = timelineRows(withRows(emptyTranscript("j"), { messages: STORY }), [
      effect("reply", 9),
      effect("receipt", 3),
    ]);
    expect(rows.map((row) => (row.kind === "effect" ? row.effect.id : row.kind))).toEqual([
      "said",
      "thinking",
      "prose",
      "tool",
      "receipt",
      "prose",
      "reply",
    ]);
  });
});
