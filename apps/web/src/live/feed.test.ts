import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "../testing/fakeEventSource";
import type { LiveEvent } from "./events";
import { Feed } from "./feed";

const JOB = "0198c0de-0000-7000-8000-000000000001";
const status = { job_id: JOB, status: "running" };

let sources: FakeEventSource[] = [];
let feed: Feed;
let seen: LiveEvent[] = [];
let gaps = 0;

function latest(): FakeEventSource {
  const source = sources.at(-1);
  if (source === undefined) throw new Error("nothing has connected");
  return source;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
  sources = [];
  seen = [];
  gaps = 0;
  feed = new Feed({
    url: "/api/v1/events",
    createSource: (url) => {
      const source = new FakeEventSource(url);
      sources.push(source);
      return source as unknown as EventSource;
    },
    delay: () => 1_000,
  });
  feed.onEvent((event) => seen.push(event));
  feed.onGap(() => {
    gaps += 1;
  });
  feed.start();
});

afterEach(() => {
  feed.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the feed", () => {
  it("asks for everything again when its first connection opens, because rows may be older than it", () => {
    expect(latest().url).toBe("/api/v1/events");
    latest().open();
    expect(feed.status).toBe("live");
    expect(gaps).toBe(1);
  });

  it("hands on every stored event once and in order", () => {
    latest().open();
    latest().tell("job.status", status, 7);
    latest().tell("job.status", status, 8);
    latest().tell("job.status", status, 8);
    latest().tell("job.status", status, 7);
    expect(seen.map((event) => event.id)).toEqual([7, 8]);
  });

  it("goes on after the last event it saw when the browser connects again by itself", () => {
    latest().open();
    latest().tell("job.status", status, 7);
    latest().breakOff();
    expect(feed.status).toBe("reconnecting");
    latest().open();
    latest().tell("job.status", status, 8);
    expect(sources).toHaveLength(1);
    expect(seen.map((event) => event.id)).toEqual([7, 8]);
    expect(gaps).toBe(1);
  });

  it("connects anew after a refusal, and says where it was", () => {
    latest().open();
    latest().tell("job.status", status, 7);
    const refused = vi.fn();
    feed.onRefusal(refused);
    latest().refuse();
    expect(refused).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(999);
    expect(sources).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(latest().url).toBe("/api/v1/events?last_event_id=7");
    latest().open();
    latest().tell("job.status", status, 7);
    latest().tell("job.status", status, 8);
    expect(seen.map((event) => event.id)).toEqual([7, 8]);
    expect(gaps).toBe(1);
  });

  it("connects anew when the machine slept", () => {
    latest().open();
    latest().tell("job.status", status, 7);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(5_000);
    expect(sources).toHaveLength(2);
    expect(sources[0]?.readyState).toBe(2);
    expect(latest().url).toBe("/api/v1/events?last_event_id=7");
  });

  it("does not connect anew while it is awake", () => {
    latest().open();
    vi.advanceTimersByTime(600_000);
    expect(sources).toHaveLength(1);
  });

  it("gives its connection back when nobody looks at the tab, and goes on where it was", () => {
    latest().open();
    latest().tell("job.status", status, 7);
    const visible = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    vi.advanceTimersByTime(299_000);
    expect(latest().readyState).toBe(1);
    vi.advanceTimersByTime(3_600_000);
    expect(latest().readyState).toBe(2);
    expect(sources).toHaveLength(1);
    visible.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(latest().url).toBe("/api/v1/events?last_event_id=7");
  });

  it("follows a feed that began anew after a backup was restored, and asks for everything again", () => {
    latest().open();
    latest().tell("job.status", status, 700);
    latest().breakOff();
    latest().open();
    latest().tell("job.status", status, 12);
    latest().tell("job.status", status, 13);
    expect(seen.map((event) => event.id)).toEqual([700, 12, 13]);
    expect(gaps).toBe(2);
  });

  it("says that it is offline when the device is", () => {
    latest().open();
    window.dispatchEvent(new Event("offline"));
    expect(feed.status).toBe("offline");
    window.dispatchEvent(new Event("online"));
    expect(feed.status).toBe("reconnecting");
    latest().open();
    expect(feed.status).toBe("live");
  });

  it("puts pieces together per job, and tells only who watches that job", () => {
    latest().open();
    const told = vi.fn();
    const other = vi.fn();
    feed.onTexts(JOB, told);
    feed.onTexts("another", other);
    latest().tell("message.delta", { job_id: JOB, target: "text", offset: 0, text: "Hel" });
    latest().tell("message.delta", { job_id: JOB, target: "text", offset: 3, text: "lo" });
    expect(feed.textsOf(JOB).text?.text).toBe("Hello");
    expect(told).toHaveBeenCalledTimes(2);
    expect(other).not.toHaveBeenCalled();
  });

  it("ends a reconnection in the middle of a message without a lost or doubled letter", () => {
    latest().open();
    latest().tell("job.status", status, 7);
    latest().tell("message.delta", { job_id: JOB, target: "text", offset: 0, text: "Hello" });
    latest().breakOff();
    latest().open();
    latest().tell("message.delta", { job_id: JOB, target: "text", offset: 0, text: "Hello, wor" });
    latest().tell("message.delta", { job_id: JOB, target: "text", offset: 10, text: "ld" });
    expect(feed.textsOf(JOB).text?.text).toBe("Hello, world");
    latest().tell("message", { id: "m", job_id: JOB, seq: 2 }, 8);
    expect(feed.textsOf(JOB).text).toBeNull();
  });

  it("gives the same object until something changes, as React wants", () => {
    latest().open();
    latest().tell("message.delta", { job_id: JOB, target: "text", offset: 0, text: "Hello" });
    expect(feed.textsOf(JOB)).toBe(feed.textsOf(JOB));
    expect(feed.textsOf("another")).toBe(feed.textsOf("another"));
  });

  it("is silent after it was stopped", () => {
    latest().open();
    feed.stop();
    vi.advanceTimersByTime(600_000);
    window.dispatchEvent(new Event("online"));
    expect(sources).toHaveLength(1);
    expect(latest().readyState).toBe(2);
  });
});
