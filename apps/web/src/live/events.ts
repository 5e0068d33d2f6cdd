// What the server tells while it happens. Stored events read like the rows of the REST API; pieces are parts of a
// text that is still being written.

import type { components } from "../api/schema";
import type { ApprovalView } from "../api/types";

type Schemas = components["schemas"];

export type JobStatusEvent = Pick<
  Schemas["JobView"],
  | "work_item_id"
  | "agent_id"
  | "conversation_id"
  | "attempt"
  | "retry_of"
  | "status"
  | "failure"
  | "model"
  | "usage"
  | "cost_micros"
  | "created_at"
  | "started_at"
  | "finished_at"
> & { job_id: string };

export type EffectEvent = Pick<
  Schemas["EffectView"],
  "job_id" | "slot" | "integration_id" | "conversation_id" | "status" | "dead_reason" | "detail" | "attempts"
> & { effect_id: string; kind: string };

/** By the name of the event. */
type StoredPayloads = {
  "job.status": JobStatusEvent;
  message: Schemas["MessageView"];
  "tool.started": Schemas["ToolCallView"];
  "tool.finished": Schemas["ToolCallView"];
  effect: EffectEvent;
  usage: Schemas["ModelCallView"];
  approval: Omit<ApprovalView, "may_decide">;
};

export type StoredName = keyof StoredPayloads;

/** A row was written. `id` is its place in the feed. */
export type LiveEvent = {
  [Name in StoredName]: { name: Name; id: number; payload: StoredPayloads[Name] };
}[StoredName];

export const STORED_NAMES: readonly StoredName[] = [
  "job.status",
  "message",
  "tool.started",
  "tool.finished",
  "effect",
  "usage",
  "approval",
];

export const PIECE_NAMES = ["message.delta", "tool.output"] as const;

/** A part of an open text; `offset` counts bytes of UTF-8. */
export type Piece = {
  job_id: string;
  target?: "text" | "thinking";
  provider_call_id?: string;
  offset: number;
  text: string;
};
