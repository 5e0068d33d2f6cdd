// Types of endpoints that the generated schema does not have yet, so that screens can be written against them.
// It shrinks with every regeneration of schema.ts and is deleted when nothing is left in it.
import type { components, operations, paths } from "./schema";
import type { Role } from "./types";

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
export type OverviewAgentView = {
  agent_id: Uuid;
  name: string;
  state: "idle" | "running" | "waiting" | "disabled";
  running_jobs: number;
  queued_items: number;
  spend_today_micros: number;
  budget_micros_per_day: number | null;
  last_active_at: Timestamp | null;
};
export type SandboxView = {
  backend: Schemas["SandboxBackend"];
  tier: Schemas["SandboxTier"] | null;
  missing: string[];
};
export type OverviewView = {
  needs: { approvals: number; failed_jobs: number; dead_letters: number; unknown_effects: number };
  running: Schemas["JobView"][];
  agents: OverviewAgentView[];
  spend_today_micros: number;
  integrations: {
    id: Uuid;
    name: string;
    type: ChannelType;
    enabled: boolean;
    health: Schemas["Health"];
    health_detail: string | null;
  }[];
  sandbox: SandboxView;
  queue: { queued_items: number; oldest_wait_seconds: number | null; pending_effects: number };
  default_model: string;
  demo_model: boolean;
};
export type CostGroup = "agent" | "model" | "conversation" | "none";
export type CostRowView = {
  day: string | null;
  key: string | null;
  label: string;
  jobs: number;
  model_calls: number;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  cost_micros: number;
};
export type CostsView = { from: Timestamp; to: Timestamp; total_micros: number; items: CostRowView[] };
export type OutcomesView = {
  items: {
    day: string;
    completed: number;
    failed: number;
    cancelled: number;
    reply_p50_seconds: number | null;
    reply_p95_seconds: number | null;
  }[];
};
export type ChannelType = "web" | "telegram";
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
export type ProviderKind = "anthropic" | "openai" | "demo";
export type ProviderView = {
  id: Uuid | null;
  name: string;
  kind: ProviderKind;
  base_url: string | null;
  has_key: boolean;
  source: "environment" | "settings";
  health: "unknown" | "ok" | "failed";
  health_detail: string | null;
  created_at: Timestamp | null;
  updated_at: Timestamp | null;
};
export type ProviderTest = { ok: boolean; detail: string; duration_ms: number };
export type ModelsView = {
  default_model: string;
  items: {
    model: string;
    provider: string;
    context_tokens: number;
    max_output_tokens: number;
    input_micros_per_million: number;
    output_micros_per_million: number;
    priced: boolean;
  }[];
};
export type ToolsView = { items: { name: string; description: string; read_only: boolean }[] };
export type RetentionView = {
  tool_output_days: number | null;
  event_days: number | null;
  transcript_days: number | null;
};
export type AboutView = {
  version: string;
  database: "sqlite" | "postgres";
  redis: boolean;
  public_url: string | null;
  default_model: string;
  started_at: Timestamp;
  sandbox: SandboxView;
  encryption_keys: number;
};
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

type AgentFields = { tools?: string[] | null };
export type AgentView = Schemas["AgentView"] & { tools: string[] | null };
export type WorkItemFilter = Paging & {
  integration_id?: Uuid;
  agent_id?: Uuid;
  conversation_id?: Uuid;
  status?: Schemas["WorkItemStatus"];
  text?: string;
};
export type EffectFilter = Paging & {
  status?: Schemas["EffectStatus"];
  work_item_id?: Uuid;
  job_id?: Uuid;
  agent_id?: Uuid;
};
export type JobFilter = Paging & {
  status?: Schemas["JobStatus"];
  work_item_id?: Uuid;
  agent_id?: Uuid;
  conversation_id?: Uuid;
};

export type DraftPaths = {
  "/api/v1/agents": {
    get: Search<Page<AgentView>, Paging>;
    post: Send<NoPath, Schemas["CreateAgent"] & AgentFields, Answer<AgentView>>;
  };
  "/api/v1/agents/{id}": {
    get: Get<AgentView, ById>;
    patch: Send<ById, Schemas["UpdateAgent"] & AgentFields, Answer<AgentView>>;
    delete: operations["delete_agent"];
  };
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
  "/api/v1/overview": { get: Get<OverviewView> };
  "/api/v1/costs": {
    get: Search<CostsView, { from?: Timestamp; to?: Timestamp; group?: CostGroup; daily?: boolean }>;
  };
  "/api/v1/costs/outcomes": { get: Search<OutcomesView, { from?: Timestamp; to?: Timestamp }> };
  "/api/v1/conversations": {
    get: Search<Page<ConversationView>, Paging & { integration_id?: Uuid; agent_id?: Uuid }>;
    post: Send<NoPath, { agent_id: Uuid; title?: string }, Answer<ConversationView>>;
  };
  "/api/v1/conversations/{id}": { get: Get<ConversationView, ById> };
  "/api/v1/conversations/{id}/entries": {
    get: Get<Page<ConversationEntryView>, Parameters<Paging, { id: Uuid }>>;
  };
  "/api/v1/work-items": {
    get: Search<Schemas["PageView_WorkItemView"], WorkItemFilter>;
    post: paths["/api/v1/work-items"]["post"];
  };
  "/api/v1/jobs": { get: Search<Schemas["PageView_JobView"], JobFilter> };
  "/api/v1/effects": { get: Search<Schemas["PageView_EffectView"], EffectFilter> };
  "/api/v1/providers": {
    get: Search<Page<ProviderView>, Paging>;
    post: Send<
      NoPath,
      { name: string; kind: "anthropic" | "openai"; api_key?: string; base_url?: string },
      Answer<ProviderView>
    >;
  };
  "/api/v1/providers/{id}": {
    get: Get<ProviderView, ById>;
    patch: Send<ById, { name?: string; api_key?: string; base_url?: string | null }, Answer<ProviderView>>;
    delete: Act<ById, Empty>;
  };
  "/api/v1/providers/{id}/test": { post: Send<ById, { model?: string }, Answer<ProviderTest>> };
  "/api/v1/models": { get: Get<ModelsView> };
  "/api/v1/tools": { get: Get<ToolsView> };
  "/api/v1/settings/retention": {
    get: Get<RetentionView>;
    put: Send<NoPath, RetentionView, Answer<RetentionView>>;
  };
  "/api/v1/settings/oidc": {
    get: Get<OidcView>;
    put: Send<NoPath, OidcView & { client_secret?: string }, Answer<OidcView>>;
    delete: Act<NoPath, Empty>;
  };
  "/api/v1/about": { get: Get<AboutView> };
};
