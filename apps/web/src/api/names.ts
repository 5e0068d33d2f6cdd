// Names for the ids that rows carry: agents and integrations are few and change rarely, so they are asked for once;
// work that is open is called by what was asked.
import { titleOf } from "../lib/format";
import { $api } from "./client";
import { useMay } from "./session";

export type Names = ReadonlyMap<string, string>;

const NONE: Names = new Map();
const QUERY = { params: { query: { limit: 100 } } } as const;
const FRESH = { staleTime: 60_000, select: namesOf };

function namesOf(page: { items: readonly { id: string; name: string }[] }): Names {
  return new Map(page.items.map((item) => [item.id, item.name]));
}

/** Names of agents by id; empty until they are known. */
export function useAgentNames(): Names {
  return $api.useQuery("get", "/api/v1/agents", QUERY, FRESH).data ?? NONE;
}

/** Names of integrations by id; empty until they are known. */
export function useIntegrationNames(): Names {
  return $api.useQuery("get", "/api/v1/integrations", QUERY, FRESH).data ?? NONE;
}

/** The id of the built-in integration, on which chats are: undefined until it is known, null when it cannot be. */
export function useWebIntegration(): string | null | undefined {
  const asked = $api.useQuery("get", "/api/v1/integrations", QUERY, { ...FRESH, select: webOf });
  return asked.data === undefined && asked.isError ? null : asked.data;
}

function webOf(page: { items: readonly { id: string; type: string }[] }): string | null {
  return page.items.find((item) => item.type === "web")?.id ?? null;
}

/** What an integration is called, or was: one that is not among all there are was deleted. */
export function integrationName(names: Names, id: string): string | null {
  return names.get(id) ?? (names.size > 0 && names.size < QUERY.params.query.limit ? "Deleted" : null);
}

const OPEN = { params: { query: { status: "open", limit: 100 } } } as const;
const TITLES = { select: titlesOf };

function titlesOf(page: { items: readonly { id: string; message: { text: string } }[] }): Names {
  return new Map(page.items.map((item) => [item.id, titleOf(item.message.text)]));
}

/** Titles of open work items by id; those of a long queue's end are missing. */
export function useOpenTitles(): Names {
  const mayRead = useMay("work", "read");
  return $api.useQuery("get", "/api/v1/work-items", OPEN, { ...TITLES, enabled: mayRead }).data ?? NONE;
}
