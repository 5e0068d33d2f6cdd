// One job's stored story, put together from pages of the API and from live events in whatever order and however
// often they come: rows find their place by number or id, so nothing is lost or doubled. Texts that are still being
// written are not in here (see openTexts.ts).
import type { components } from "../api/schema";
import type { LiveEvent } from "./events";

type Schemas = components["schemas"];
export type Message = Schemas["MessageView"];
export type ToolCall = Schemas["ToolCallView"];
export type ModelCall = Schemas["ModelCallView"];

export type Transcript = {
  readonly job: string;
  /** By sequence number, which begins at 1; what has not come yet is a hole. */
  readonly messages: readonly (Message | undefined)[];
  /** By the provider's id, which is how messages name them. */
  readonly toolCalls: ReadonlyMap<string, ToolCall>;
  readonly modelCalls: ReadonlyMap<string, ModelCall>;
};

export type Rows = {
  messages?: readonly Message[];
  toolCalls?: readonly ToolCall[];
  modelCalls?: readonly ModelCall[];
};

export function emptyTranscript(job: string): Transcript {
  return { job, messages: [], toolCalls: new Map(), modelCalls: new Map() };
}

/** Adds rows as the API gave them. */
export function withRows(transcript: Transcript, rows: Rows): Transcript {
  return {
    ...transcript,
    messages: placed(transcript.messages, rows.messages ?? []),
    toolCalls: merged(transcript.toolCalls, rows.toolCalls ?? [], (call) => call.provider_call_id, isOver),
    modelCalls: merged(transcript.modelCalls, rows.modelCalls ?? [], (call) => call.id, isSettled),
  };
}

/** Adds what a live event tells; events of other jobs change nothing. */
export function withEvent(transcript: Transcript, event: LiveEvent): Transcript {
  if (event.payload.job_id !== transcript.job) return transcript;
  switch (event.name) {
    case "message":
      return withRows(transcript, { messages: [event.payload] });
    case "tool.started":
    case "tool.finished":
      return withRows(transcript, { toolCalls: [event.payload] });
    case "usage":
      return withRows(transcript, { modelCalls: [event.payload] });
    default:
      return transcript;
  }
}

/** The number up to which no message is missing. */
export function completeTo(transcript: Transcript): number {
  const hole = transcript.messages.indexOf(undefined);
  return hole === -1 ? transcript.messages.length : hole;
}

function placed(known: Transcript["messages"], more: readonly Message[]): Transcript["messages"] {
  const fresh = more.filter((message) => known[message.seq - 1] === undefined);
  if (fresh.length === 0) return known;
  const length = fresh.reduce((longest, message) => Math.max(longest, message.seq), known.length);
  // Filled, because `indexOf` passes over places that were never written.
  const messages = Array.from({ length }, (_, place) => known[place]);
  for (const message of fresh) messages[message.seq - 1] = message;
  return messages;
}

/** A row that ended is never replaced by what it was before, however late that comes. */
function merged<Row>(
  known: ReadonlyMap<string, Row>,
  more: readonly Row[],
  key: (row: Row) => string,
  isFinal: (row: Row) => boolean,
): ReadonlyMap<string, Row> {
  const fresh = more.filter((row) => {
    const held = known.get(key(row));
    return held === undefined || (!isFinal(held) && isFinal(row));
  });
  if (fresh.length === 0) return known;
  const rows = new Map(known);
  for (const row of fresh) {
    const held = rows.get(key(row));
    if (held === undefined || !isFinal(held)) rows.set(key(row), row);
  }
  return rows;
}

function isOver(call: ToolCall): boolean {
  return call.status !== "running";
}

function isSettled(call: ModelCall): boolean {
  return call.status !== "reserved";
}
