// The change of a tool call. Apart from the summary, because comparing texts is only needed for cards that are open.
import type { components } from "../api/schema";
import type { ToolCall } from "../live/transcript";
import { diffBetween } from "./diffLines";
import { argumentsOf, madeDiff } from "./toolSummary";

/** The change a call made; while it runs, the one it asks for. */
export function diffOf(args: components["schemas"]["ArgumentsView"], call: ToolCall | null): string | null {
  const made = call === null ? null : madeDiff(call);
  if (made !== null) return made;
  const { old_string: before, new_string: after } = argumentsOf(args);
  return typeof before === "string" && typeof after === "string" ? diffBetween(before, after) : null;
}
