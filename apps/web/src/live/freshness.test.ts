import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "../testing/fakeEventSource";
import { Feed } from "./feed";
import { keepFresh } from "./freshness";

const JOB = "0198c0de-0000-7000-8000-000000000001";
const status = { job_id: JOB, work_item_id: "w", conversation_id: "c", status: "running" };

function watched(cache: QueryClient, key: readonly unknown[]) {
  const asked = vi.fn(async () => ({}));
  const end = new QueryObserver(cache, { queryKey: key, queryFn: asked, staleTime: 60_000 }).subscribe(() => undefined);
  return { asked, end };
}

describe("the cache", () => {
  it("asks again for what an event changed, and for nothing else", async () => {
    vi.stubGlobal("EventSource", { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
    const source = new FakeEventSource("/");
    const feed = new Feed({ url: "/", createSource: () => source as unknown as EventSource });
    const cache = new QueryClient();
    const mine = watched(cache, ["get", "/api/v1/jobs/{id}", { params: { path: { id: JOB } } }]);
    const other = watched(cache, ["get", "/api/v1/jobs/{id}", { params: { path: { id: "other" } } }]);
    const list = watched(cache, ["get", "/api/v1/jobs", { params: { query: { limit: 50 } } }]);
    const transcript = watched(cache, ["get", "/api/v1/jobs/{id}/messages", { params: { path: { id: JOB } } }]);
    const items = watched(cache, ["get", "/api/v1/work-items", { params: { query: { limit: 50 } } }]);
    const stop = keepFresh(feed, cache);
    feed.start();
    source.open();
    await vi.waitFor(() => expect(transcript.asked).toHaveBeenCalledTimes(2));
    for (const call of [mine, other, list, items, transcript]) call.asked.mockClear();

    source.tell("job.status", status, 1);
    source.tell("job.status", status, 2);

    await vi.waitFor(() => expect(list.asked).toHaveBeenCalled());
    await vi.waitFor(() => expect(mine.asked).toHaveBeenCalled());
    expect(other.asked).not.toHaveBeenCalled();
    expect(transcript.asked).not.toHaveBeenCalled();

    source.tell("work.changed", {});
    await vi.waitFor(() => expect(items.asked).toHaveBeenCalled());
    expect(transcript.asked).not.toHaveBeenCalled();
    stop();
    feed.stop();
    for (const call of [mine, other, list, items, transcript]) call.end();
    vi.unstubAllGlobals();
  });
});
