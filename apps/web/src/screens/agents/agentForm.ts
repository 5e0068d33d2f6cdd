// What the forms about an agent hold, and how that becomes a request: a new agent in full, an existing one as
// the difference alone, so that two people who change different settings do not undo each other. Rules that a
// person can be told at once are mirrored here; the server decides anyway.
import { typedNumber } from "../../lib/typedNumber";
import type { AgentView, CreateAgent, LoopLimits, UpdateAgent } from "./types";

const MICROS = 1_000_000;
/** The most the server takes, in characters. */
export const MAX_INSTRUCTIONS = 100_000;

export type Budget =
  | { kind: "default" }
  | { kind: "unlimited" }
  /** As it was typed. */
  | { kind: "limited"; dollars: number | string };

export type AgentValues = {
  name: string;
  instructions: string;
  /** null: the server's default model. */
  model: string | null;
  enabled: boolean;
  reply_policy: AgentView["reply_policy"];
  steering: AgentView["steering"];
  budget: Budget;
  /** null: all tools, those added later included. */
  tools: string[] | null;
};

export function valuesOf(agent: AgentView): AgentValues {
  return {
    name: agent.name,
    instructions: agent.instructions,
    model: agent.model,
    enabled: agent.enabled,
    reply_policy: agent.reply_policy,
    steering: agent.steering,
    budget: budgetOf(agent.budget_micros_per_day),
    tools: agent.tools,
  };
}

export function budgetOf(micros: number | null): Budget {
  return micros === null ? { kind: "unlimited" } : { kind: "limited", dollars: micros / MICROS };
}

/** undefined: not said, the server's default holds. */
export function budgetMicros(budget: Budget): number | null | undefined {
  switch (budget.kind) {
    case "default":
      return undefined;
    case "unlimited":
      return null;
    case "limited":
      // Rounded, because 0.1 + 0.2 dollars are no whole number of micros in floating point.
      return Math.round(typedNumber(budget.dollars) * MICROS);
  }
}

export function createBody(values: AgentValues): CreateAgent {
  const budget = budgetMicros(values.budget);
  return {
    name: values.name.trim(),
    instructions: values.instructions,
    model: values.model,
    enabled: values.enabled,
    reply_policy: values.reply_policy,
    steering: values.steering,
    tools: values.tools,
    ...(budget === undefined ? {} : { budget_micros_per_day: budget }),
  };
}

/** Only what differs; an empty object when nothing does. */
export function changesOf(agent: AgentView, values: Partial<AgentValues>): UpdateAgent {
  const before = valuesOf(agent);
  const change: UpdateAgent = {};
  if (values.name !== undefined && values.name.trim() !== before.name) change.name = values.name.trim();
  if (values.instructions !== undefined && values.instructions !== before.instructions)
    change.instructions = values.instructions;
  if (values.model !== undefined && values.model !== before.model) change.model = values.model;
  if (values.enabled !== undefined && values.enabled !== before.enabled) change.enabled = values.enabled;
  if (values.reply_policy !== undefined && values.reply_policy !== before.reply_policy)
    change.reply_policy = values.reply_policy;
  if (values.steering !== undefined && values.steering !== before.steering) change.steering = values.steering;
  if (values.budget !== undefined) {
    const micros = budgetMicros(values.budget);
    if (micros !== undefined && micros !== agent.budget_micros_per_day) change.budget_micros_per_day = micros;
  }
  if (values.tools !== undefined && !sameTools(values.tools, before.tools)) change.tools = values.tools;
  return change;
}

export function sameTools(left: string[] | null, right: string[] | null): boolean {
  if (left === null || right === null) return left === right;
  return left.length === right.length && left.every((tool) => right.includes(tool));
}

export function nameProblem(name: string): string | null {
  const trimmed = name.trim();
  if (trimmed === "") return "Give it a name; people call it by that name in chats.";
  if ([...trimmed].length > 64) return "A name has at most 64 characters.";
  const forbidden = [...trimmed].find((char) => "@/:".includes(char));
  if (forbidden) return `A name must not contain ${forbidden}: chats give that character a meaning of its own.`;
  return null;
}

export function modelProblem(model: string | null): string | null {
  if (model === null || /^[a-z0-9][a-z0-9_-]*\/\S+$/.test(model)) return null;
  return "Write provider/model, such as anthropic/claude-sonnet-4-5.";
}

export function budgetProblem(budget: Budget): string | null {
  if (budget.kind !== "limited") return null;
  const dollars = typedNumber(budget.dollars);
  if (Number.isNaN(dollars)) return "Enter an amount, or choose unlimited.";
  return dollars < 0 ? "A budget cannot be negative." : null;
}

export type LimitKey = keyof LoopLimits;

/** The loop limits with what they mean to a person and what the server accepts. */
export const LOOP_LIMITS: readonly {
  key: LimitKey;
  label: string;
  help: string;
  unit: string;
  least: number;
  most: number;
}[] = [
  {
    key: "relay_depth",
    label: "Bots in a row",
    help: "It acts on this many messages of bots in a row; then a person has to speak first.",
    unit: "messages",
    least: 0,
    most: 100,
  },
  {
    key: "bot_window_items",
    label: "Messages of one bot",
    help: "One bot in one conversation may write this many within the window below.",
    unit: "messages",
    least: 1,
    most: 500,
  },
  {
    key: "bot_window_seconds",
    label: "Window",
    help: "The time in which they are counted.",
    unit: "seconds",
    least: 1,
    most: 3600,
  },
  {
    key: "bot_cooldown_seconds",
    label: "Cool-down",
    help: "A bot that writes more is passed over for this long.",
    unit: "seconds",
    least: 0,
    most: 3600,
  },
  {
    key: "identical_answers",
    label: "Same answers",
    help: "After this many same answers in a row to bots it answers them no more until a person speaks.",
    unit: "answers",
    least: 1,
    most: 12,
  },
  {
    key: "identical_calls",
    label: "Same tool calls",
    help: "A job that uses a tool this often in a row with the same result fails.",
    unit: "calls",
    least: 2,
    most: 100,
  },
  {
    key: "resumes",
    label: "Resumes",
    help: "A job that gets no further is resumed this often after its process died, then it fails.",
    unit: "times",
    least: 1,
    most: 100,
  },
];

/** As they were typed. */
export type LimitValues = Record<LimitKey, number | string>;

export function limitProblems(values: LimitValues): Partial<Record<LimitKey, string>> {
  const problems: Partial<Record<LimitKey, string>> = {};
  for (const { key, least, most } of LOOP_LIMITS) {
    const value = typedNumber(values[key]);
    if (!Number.isInteger(value) || value < least || value > most)
      problems[key] = `Enter a whole number from ${least} to ${most}.`;
  }
  return problems;
}

export function limitChanges(before: LoopLimits, values: LimitValues): Partial<LoopLimits> {
  const change: Partial<LoopLimits> = {};
  for (const { key } of LOOP_LIMITS) {
    const value = typedNumber(values[key]);
    if (!Number.isNaN(value) && value !== before[key]) change[key] = value;
  }
  return change;
}
