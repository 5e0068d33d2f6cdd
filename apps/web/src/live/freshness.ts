// Keeps the query cache as fresh as the feed: a stored event marks what it changed, and marked queries that are on
// a screen are asked for again, never two rounds at a time. Transcripts are patched by the screens that show them,
// because asking for ten thousand messages again is no way to add one.
import type { Query, QueryClient } from "@tanstack/react-query";
import type { LiveEvent } from "./events";
import type { Feed } from "./feed";

const PAUSE = 400;

type Touched = { path: string; id?: string };

/** What money was spent on, and what came of it. */
const OF_MONEY: readonly Touched[] = [{ path: "/api/v1/costs" }, { path: "/api/v1/costs/outcomes" }];

/** The paths of the API whose answers an event changes; with an id, only the answer about that one. */
export function touchedBy(event: LiveEvent): Touched[] {
  switch (event.name) {
    case "job.status":
      return [
        { path: "/api/v1/overview" },
        { path: "/api/v1/jobs" },
        { path: "/api/v1/jobs/{id}", id: event.payload.job_id },
        { path: "/api/v1/work-items" },
        { path: "/api/v1/work-items/{id}", id: event.payload.work_item_id },
        { path: "/api/v1/conversations" },
        { path: "/api/v1/conversations/{id}/entries", id: event.payload.conversation_id },
        ...(event.payload.finished_at === null ? [] : OF_MONEY),
      ];
    // The transcript of a job's own page is patched; where its calls are only listed, they are asked for.
    case "tool.started":
    case "tool.finished":
      return [{ path: "/api/v1/jobs/{id}/tool-calls", id: event.payload.job_id }];
    case "effect":
      return [
        { path: "/api/v1/overview" },
        { path: "/api/v1/effects" },
        { path: "/api/v1/effects/{id}", id: event.payload.effect_id },
        { path: "/api/v1/jobs/{id}", id: event.payload.job_id },
        { path: "/api/v1/conversations/{id}/entries", id: event.payload.conversation_id },
      ];
    case "approval":
      return [
        { path: "/api/v1/overview" },
        { path: "/api/v1/approvals" },
        { path: "/api/v1/approvals/{id}", id: event.payload.id },
        { path: "/api/v1/jobs/{id}", id: event.payload.job_id },
      ];
    case "usage":
      return [
        { path: "/api/v1/overview" },
        { path: "/api/v1/work-items/{id}", id: event.payload.work_item_id },
        ...OF_MONEY,
      ];
    default:
      return [];
  }
}

/** What may differ when work items came in or ended, or the health of a channel changed. */
const OF_WORK = [
  "/api/v1/overview",
  "/api/v1/work-items",
  "/api/v1/work-items/{id}",
  "/api/v1/conversations",
  "/api/v1/conversations/{id}/entries",
  "/api/v1/integrations",
  "/api/v1/integrations/{id}",
].map((path) => ({ path }));

/** Connects a feed with a cache; the answer ends that. */
export function keepFresh(feed: Feed, cache: QueryClient): () => void {
  const marked = new Map<string, Touched>();
  let isBusy = false;
  const flush = async () => {
    if (isBusy) return;
    isBusy = true;
    while (marked.size > 0) {
      const due = [...marked.values()];
      marked.clear();
      await refresh(cache, (query) => due.some((one) => matches(query.queryKey, one)));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    isBusy = false;
  };
  const mark = (touched: readonly Touched[]) => {
    for (const one of touched) marked.set(`${one.path} ${one.id ?? ""}`, one);
    void flush();
  };
  const stopEvents = feed.onEvent((event) => mark(touchedBy(event)));
  const stopWork = feed.onWork(() => mark(OF_WORK));
  const stopGaps = feed.onGap(() => {
    void refresh(cache, (query) => query.queryKey[0] === "get");
  });
  // A stream cannot say that the login ended; any other answer can, and the shell always shows this one.
  const stopRefusals = feed.onRefusal(() => {
    void refresh(cache, (query) => query.queryKey[1] === "/api/v1/overview");
  });
  return () => {
    stopEvents();
    stopWork();
    stopGaps();
    stopRefusals();
    marked.clear();
  };
}

/** Asks again. A first answer that was on its way may be older than the reason to ask, so it is asked for twice. */
async function refresh(cache: QueryClient, predicate: (query: Query) => boolean): Promise<void> {
  const onTheirWay = cache
    .getQueryCache()
    .findAll({ predicate })
    .filter((query) => query.state.data === undefined && query.state.fetchStatus === "fetching");
  await cache.invalidateQueries({ predicate });
  await cache.invalidateQueries({ predicate: (query) => onTheirWay.includes(query) });
}

/** Keys are those of `$api`: method, path, and what was asked for. */
function matches(key: readonly unknown[], touched: Touched): boolean {
  if (key[1] !== touched.path) return false;
  if (touched.id === undefined) return true;
  const init = key[2] as { params?: { path?: { id?: string } } } | undefined;
  return init?.params?.path?.id === touched.id;
}
