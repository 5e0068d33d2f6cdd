// Logins for tests.
import type { SessionView } from "../api/types";

/** An owner's login, with whatever a test needs otherwise. */
export function session(overrides: Partial<SessionView> = {}): SessionView {
  return {
    user: {
      id: "0198c0de-0000-7000-8000-00000000a001",
      name: "Ada Lovelace",
      email: "ada@example.com",
      role: "owner",
      enabled: true,
      has_password: true,
      has_totp: false,
      oidc_subject: null,
      created_at: "2026-11-01T10:00:00Z",
      last_seen_at: "2026-11-23T10:00:00Z",
    },
    actor: { kind: "user", id: "0198c0de-0000-7000-8000-00000000a001", name: "Ada Lovelace" },
    role: "owner",
    rights: {
      agents: "administer",
      integrations: "administer",
      work: "administer",
      effects: "administer",
      approvals: "administer",
      sprites: "administer",
      costs: "administer",
      people: "administer",
      audit: "administer",
      settings: "administer",
    },
    scopes: null,
    csrf_token: "a-csrf-token",
    expires_at: "2026-12-23T10:00:00Z",
    ...overrides,
  };
}
