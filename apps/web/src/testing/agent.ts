// Agents for tests.
import type { AgentView } from "../screens/agents/types";

/** Ada with the settings of a new agent, and whatever a test needs otherwise. */
export function agentView(overrides: Partial<AgentView> = {}): AgentView {
  return {
    id: "0198c0de-0000-7000-8000-000000000001",
    name: "Ada",
    model: null,
    instructions: "Be brief.",
    enabled: true,
    reply_policy: "auto",
    approvers: { min_role: "member", user_ids: [] },
    steering: "steer",
    loop_limits: {
      relay_depth: 3,
      bot_window_items: 20,
      bot_window_seconds: 60,
      bot_cooldown_seconds: 60,
      identical_calls: 5,
      identical_answers: 3,
      resumes: 3,
    },
    budget_micros_per_day: 5_000_000,
    tools: null,
    created_at: "2026-11-23T10:00:00Z",
    updated_at: "2026-11-23T10:00:00Z",
    archived_at: null,
    ...overrides,
  };
}
