import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "../testing/fakeEventSource";
import type { LiveEvent } from "./events";
import { Feed } from "./feed";
import { keepFresh, touchedBy } from "./freshness";

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
    const channel = watched(cache, ["get", "/api/v1/integrations/{id}", { params: { path: { id: "i" } } }]);
    const stop = keepFresh(feed, cache);
    feed.start();
    source.open();
    await vi.waitFor(() => expect(transcript.asked).toHaveBeenCalledTimes(2));
    for (const call of [mine, other, list, items, channel, transcript]) call.asked.mockClear();

    source.tell("job.status", status, 1);
    source.tell("job.status", status, 2);

    await vi.waitFor(() => expect(list.asked).toHaveBeenCalled());
    await vi.waitFor(() => expect(mine.asked).toHaveBeenCalled());
    expect(other.asked).not.toHaveBeenCalled();
    expect(transcript.asked).not.toHaveBeenCalled();

    source.tell("work.changed", {});
    await vi.waitFor(() => expect(items.asked).toHaveBeenCalled());
    await vi.waitFor(() => expect(channel.asked).toHaveBeenCalled());
    expect(transcript.asked).not.toHaveBeenCalled();
    stop();
    feed.stop();
    for (const call of [mine, other, list, items, channel, transcript]) call.end();
    vi.unstubAllGlobals();
  });
});

function touched(name: string, payload: object): string[] {
  const event = { name, id: 1, payload } as LiveEvent;
  return touchedBy(event).map(({ path, id }) => (id === undefined ? path : `${path} ${id}`));
}

describe("an event", () => {
  it("is about the effect that is open, too", () => {
    expect(touched("effect", { effect_id: "e", job_id: "j" })).toContain("/api/v1/effects/{id} e");
  });

  it("reaches what shows money when some was spent and when a job ended", () => {
    const costs = ["/api/v1/costs", "/api/v1/costs/outcomes"];
    expect(touched("usage", { job_id: "j", work_item_id: "w" })).toEqual([
      "/api/v1/overview",
      "/api/v1/work-items/{id} w",
      ...costs,
    ]);
    expect(touched("job.status", { ...status, finished_at: "2026-11-23T10:00:00Z" })).toEqual(
      expect.arrayContaining(costs),
    );
    expect(touched("job.status", { ...status, finished_at: null })).not.toContain(costs[0]);
  });

  it("about a tool is about the list of calls of its job", () => {
    for (const name of ["tool.started", "tool.finished"])
      expect(touched(name, { job_id: "j" })).toEqual(["/api/v1/jobs/{id}/tool-calls j"]);
  });
});
