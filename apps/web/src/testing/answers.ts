// Rows of the API that many tests need, with whatever a test needs otherwise.
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export const AT = "2026-11-23T10:00:00Z";

export function conversation(overrides: Partial<Schemas["ConversationView"]> = {}): Schemas["ConversationView"] {
  return {
    id: "c",
    integration_id: "web",
    integration_name: "Web",
    type: "web",
    title: "Hello",
    agent_id: "a",
    last_activity_at: AT,
    created_at: AT,
    ...overrides,
  };
}

export function pageOf<Row>(...items: Row[]): { items: Row[]; next_cursor: null } {
  return { items, next_cursor: null };
}
