// Turns a job's transcript, effects and approvals into the rows of its timeline: one row for each thing a person
// reads or opens. Results of tools are no rows of their own, they belong to the card of their call.

import type { components } from "../api/schema";
import type { ApprovalView } from "../api/types";
import type { Message, ModelCall, ToolCall, Transcript } from "../live/transcript";

type Schemas = components["schemas"];
export type Effect = Schemas["EffectView"];
export type Part = Message["parts"][number];
export type CallPart = Extract<Part, { type: "tool_call" }>;
export type ResultPart = Extract<Part, { type: "tool_result" }>;
type Attachment = Schemas["AttachmentView"];

/** What asking the model for a message took; failed tries before it are in it. */
export type Spent = {
  readonly calls: readonly ModelCall[];
  readonly costMicros: number;
  readonly input: number;
  readonly output: number;
  readonly milliseconds: number;
};

type OfMessage = { readonly key: string; readonly seq: number; readonly at: string; readonly spent: Spent | null };

export type TimelineRow =
  | (OfMessage & {
      readonly kind: "said";
      readonly texts: readonly { text: string; isQuote: boolean; trust: Schemas["Trust"] }[];
      readonly files: readonly Attachment[];
      /** Notes of the server around it, such as who wrote it. */
      readonly note: string | null;
    })
  | (OfMessage & { readonly kind: "note"; readonly text: string })
  | (OfMessage & { readonly kind: "thinking"; readonly text: string; readonly isHidden: boolean })
  | (OfMessage & { readonly kind: "prose"; readonly text: string })
  | (OfMessage & {
      readonly kind: "tool";
      readonly call: CallPart;
      readonly record: ToolCall | null;
      readonly result: ResultPart | null;
    })
  | { readonly kind: "effect"; readonly key: string; readonly at: string; readonly effect: Effect }
  | { readonly kind: "approval"; readonly key: string; readonly at: string; readonly approval: ApprovalView };

export function timelineRows(
  transcript: Transcript,
  effects: readonly Effect[] = [],
  approvals: readonly ApprovalView[] = [],
): TimelineRow[] {
  const messages = transcript.messages.filter((message) => message !== undefined);
  const results = resultsOf(messages);
  const spent = spentOn(messages, transcript.modelCalls.values());
  const rows: TimelineRow[] = messages.flatMap((message) =>
    ofMessage(message, transcript, results, spent.get(message.seq) ?? null),
  );
  return inOrder(rows, [
    ...effects.map((effect) => ({
      kind: "effect" as const,
      key: `effect-${effect.id}`,
      at: effect.created_at,
      effect,
    })),
    ...approvals.map((approval) => ({
      kind: "approval" as const,
      key: `approval-${approval.id}`,
      at: approval.requested_at,
      approval,
    })),
  ]);
}

function ofMessage(
  message: Message,
  transcript: Transcript,
  results: ReadonlyMap<string, ResultPart>,
  spent: Spent | null,
): TimelineRow[] {
  const base = (place: number): OfMessage => ({
    key: `${message.seq}-${place}`,
    seq: message.seq,
    at: message.created_at,
    // Once per message, beside its first row.
    spent: place === 0 ? spent : null,
  });
  if (message.role === "user") return [saidBy(message, base(0))];
  if (message.role === "tool") return [];
  return message.parts.flatMap((part, place): TimelineRow[] => {
    switch (part.type) {
      case "text":
        return [{ ...base(place), kind: "prose", text: part.text }];
      case "thinking":
        return [{ ...base(place), kind: "thinking", text: part.text, isHidden: part.redacted || part.text === "" }];
      case "tool_call": {
        const record = transcript.toolCalls.get(part.id) ?? null;
        return [{ ...base(place), kind: "tool", call: part, record, result: results.get(part.id) ?? null }];
      }
      default:
        return [];
    }
  });
}

/** What a person said; what the server alone says on their side is a note. */
function saidBy(message: Message, base: OfMessage): TimelineRow {
  const notes = message.parts.flatMap((part) => (part.type === "text" && part.origin === "system" ? [part.text] : []));
  const texts = message.parts.flatMap((part) =>
    part.type === "text" && part.origin !== "system"
      ? [{ text: part.text, isQuote: part.trust === "untrusted", trust: part.trust }]
      : [],
  );
  const files = message.parts.flatMap((part) => (part.type === "file" ? [part.attachment] : []));
  const note = notes.join("\n").replace(/^\[(.*)\]$/gm, "$1");
  if (texts.length === 0 && files.length === 0) return { ...base, kind: "note", text: note };
  return { ...base, kind: "said", texts, files, note: note === "" ? null : note };
}

function resultsOf(messages: readonly Message[]): Map<string, ResultPart> {
  const results = new Map<string, ResultPart>();
  for (const message of messages) {
    for (const part of message.parts) if (part.type === "tool_result") results.set(part.id, part);
  }
  return results;
}

/** Model calls belong to the first answer that was kept after they ended. */
function spentOn(messages: readonly Message[], modelCalls: Iterable<ModelCall>): Map<number, Spent> {
  const turns = [...modelCalls].filter((call) => call.purpose === "turn" && call.finished_at !== null);
  turns.sort((a, b) => time(a.finished_at) - time(b.finished_at));
  const spent = new Map<number, Spent>();
  let next = 0;
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    const from = next;
    while (next < turns.length && time(turns[next]?.finished_at ?? null) <= time(message.created_at)) next += 1;
    if (next > from) spent.set(message.seq, sumOf(turns.slice(from, next)));
  }
  return spent;
}

function sumOf(calls: readonly ModelCall[]): Spent {
  const sum = (value: (call: ModelCall) => number) => calls.reduce((total, call) => total + value(call), 0);
  return {
    calls,
    costMicros: sum((call) => call.cost_micros),
    input: sum((call) => call.usage.input + call.usage.cache_read + call.usage.cache_write),
    output: sum((call) => call.usage.output),
    milliseconds: sum((call) => time(call.finished_at) - time(call.started_at)),
  };
}

function time(at: string | null): number {
  return at === null ? Number.POSITIVE_INFINITY : Date.parse(at);
}

/** Puts what has its own time between the messages, behind those that came before it. */
function inOrder(rows: readonly TimelineRow[], others: readonly TimelineRow[]): TimelineRow[] {
  if (others.length === 0) return [...rows];
  const waiting = [...others].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const all: TimelineRow[] = [];
  let next = 0;
  for (const row of rows) {
    const at = Date.parse(row.at);
    for (let other = waiting[next]; other !== undefined && Date.parse(other.at) < at; other = waiting[next]) {
      all.push(other);
      next += 1;
    }
    all.push(row);
  }
  return [...all, ...waiting.slice(next)];
}
