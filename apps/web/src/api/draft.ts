// Types of endpoints that the generated schema does not have yet, so that screens can be written against them.
// It shrinks with every regeneration of schema.ts and is deleted when nothing is left in it.
import type { components } from "./schema";
import type { ChannelType, Role } from "./types";

type Schemas = components["schemas"];
type Uuid = string;
type Timestamp = string;

type Page<Item> = { items: Item[]; next_cursor: string | null };
type Paging = { limit?: number; cursor?: string };

// ---- Access -------------------------------------------------------------------------------------------------

// ---- Audit and read models ----------------------------------------------------------------------------------
export type AuditEntryView = {
  seq: number;
  at: Timestamp;
  actor: { kind: "user" | "token" | "agent" | "system"; id: Uuid | null; name: string | null };
  action: string;
  subject: { kind: string; id: string | null; name: string | null };
  before: unknown;
  after: unknown;
  address: string | null;
  request_id: string | null;
  hash: string;
};
export type ConversationView = {
  id: Uuid;
  integration_id: Uuid;
  integration_name: string;
  type: ChannelType;
  title: string | null;
  agent_id: Uuid | null;
  last_activity_at: Timestamp;
  created_at: Timestamp;
};
export type ConversationEntryView = {
  kind: "message" | "reply" | "notice" | "pass";
  id: Uuid;
  at: Timestamp;
  work_item_id: Uuid;
  job_id: Uuid | null;
  job_status: Schemas["JobStatus"] | null;
  agent_id: Uuid | null;
  author: string | null;
  text: string;
  effect_id: Uuid | null;
  effect_status: Schemas["EffectStatus"] | null;
};
export type SpriteFilesView = {
  path: string;
  items: { name: string; kind: "file" | "directory" | "link" | "other"; size: number; modified_at: Timestamp | null }[];
  truncated: boolean;
};
export type SpriteFileView = { path: string; size: number; text: string | null; truncated: boolean };
export type SpriteCommandResult = {
  exit_code: number | null;
  signal: string | null;
  output: string;
  truncated: boolean;
  duration_ms: number;
};

// ---- Approvals ----------------------------------------------------------------------------------------------

// ---- Settings -----------------------------------------------------------------------------------------------
export type OidcView = {
  name: string;
  issuer: string;
  client_id: string;
  scopes: string[];
  role_claim: string | null;
  roles: Record<string, Role>;
  default_role: Role | null;
  link_by_email: boolean;
};

// ---- The shape that openapi-fetch reads -----------------------------------------------------------------------
type Answer<Body> = {
  200: { headers: { [name: string]: unknown }; content: { "application/json": Body } };
  400: { headers: { [name: string]: unknown }; content: { "application/problem+json": Schemas["Problem"] } };
};
type Empty = {
  204: { headers: { [name: string]: unknown }; content?: never };
  400: { headers: { [name: string]: unknown }; content: { "application/problem+json": Schemas["Problem"] } };
};
type Parameters<Query, Path> = {
  query?: Query;
  header?: never;
  path: Path;
  cookie?: never;
};
type NoPath = { query?: never; header?: never; path?: never; cookie?: never };
type ById = Parameters<never, { id: Uuid }>;
type Get<Body, Given = NoPath> = { parameters: Given; requestBody?: never; responses: Answer<Body> };
type Search<Body, Query> = {
  parameters: { query?: Query; header?: never; path?: never; cookie?: never };
  requestBody?: never;
  responses: Answer<Body>;
};
type Send<Given, Body, Result> = {
  parameters: Given;
  requestBody: { content: { "application/json": Body } };
  responses: Result;
};
type Act<Given, Result> = { parameters: Given; requestBody?: never; responses: Result };

export type DraftPaths = {
  "/api/v1/agents/{id}/sprite/files": { get: Get<SpriteFilesView, Parameters<{ path?: string }, { id: Uuid }>> };
  "/api/v1/agents/{id}/sprite/file": { get: Get<SpriteFileView, Parameters<{ path: string }, { id: Uuid }>> };
  "/api/v1/agents/{id}/sprite/commands": {
    post: Send<ById, { command: string; directory?: string; timeout_seconds?: number }, Answer<SpriteCommandResult>>;
  };
  "/api/v1/audit": {
    get: Search<
      Page<AuditEntryView>,
      Paging & { action?: string; subject_id?: string; actor_id?: string; from?: Timestamp; to?: Timestamp }
    >;
  };
  "/api/v1/conversations": {
    get: Search<Page<ConversationView>, Paging & { integration_id?: Uuid; agent_id?: Uuid }>;
    post: Send<NoPath, { agent_id: Uuid; title?: string }, Answer<ConversationView>>;
  };
  "/api/v1/conversations/{id}": { get: Get<ConversationView, ById> };
  "/api/v1/conversations/{id}/entries": {
    get: Get<Page<ConversationEntryView>, Parameters<Paging, { id: Uuid }>>;
  };
  "/api/v1/settings/oidc": {
    get: Get<OidcView>;
    put: Send<NoPath, OidcView & { client_secret?: string }, Answer<OidcView>>;
    delete: Act<NoPath, Empty>;
  };
};
