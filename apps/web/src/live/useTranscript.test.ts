// Pages and live events meet here: whatever is fast or slow or lost, the reader ends with every message once.
import { act, renderHook, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "../testing/fakeEventSource";
import { server } from "../testing/server";
import { feed } from "./feed";
import type { Message } from "./transcript";
import { useTranscript } from "./useTranscript";

const JOB = "0198c0de-0000-7000-8000-000000000001";
const sources: FakeEventSource[] = [];

class Source extends FakeEventSource {
  constructor(url: string) {
    super(url);
    sources.push(this);
  }
}

function message(seq: number): Message {
  return { id: `m${seq}`, job_id: JOB, seq, role: "assistant", parts: [], created_at: "2026-11-23T10:00:00Z" };
}

/** What the database holds, and which cursors were asked for. */
let stored = 0;
let asked: number[] = [];

function tell(seq: number): void {
  act(() => sources.at(-1)?.tell("message", message(seq), seq));
}

beforeEach(() => {
  asked = [];
  sources.length = 0;
  vi.stubGlobal("EventSource", Source);
  const none = () => HttpResponse.json({ items: [], next_cursor: null });
  server.use(
    http.get("*/api/v1/jobs/:id/tool-calls", none),
    http.get("*/api/v1/jobs/:id/model-calls", none),
    http.get("*/api/v1/jobs/:id/messages", ({ request }) => {
      const after = Number(new URL(request.url).searchParams.get("cursor"));
      asked.push(after);
      const end = Math.min(stored, after + 100);
      const items = Array.from({ length: end - after }, (_, place) => message(after + place + 1));
      return HttpResponse.json({ items, next_cursor: end < stored ? String(end) : null });
    }),
  );
});

afterEach(() => {
  feed.stop();
  vi.unstubAllGlobals();
});

async function read() {
  feed.start();
  const hook = renderHook(() => useTranscript(JOB));
  await waitFor(() => expect(hook.result.current.isLoaded).toBe(true));
  return { ...hook, seqs: () => hook.result.current.transcript.messages.map((one) => one?.seq) };
}

const upTo = (end: number) => Array.from({ length: end }, (_, place) => place + 1);

describe("reading a transcript", () => {
  it("goes through all pages", async () => {
    stored = 250;
    const { seqs } = await read();
    expect(seqs()).toEqual(upTo(250));
    expect(asked).toEqual([0, 100, 200]);
  });

  it("adds live messages once, however often they are told", async () => {
    stored = 2;
    const { seqs } = await read();
    tell(2);
    tell(3);
    tell(3);
    expect(seqs()).toEqual([1, 2, 3]);
  });

  it("asks for what numbers show to be missing", async () => {
    stored = 2;
    const { seqs } = await read();
    stored = 5;
    tell(5);
    await waitFor(() => expect(seqs()).toEqual(upTo(5)));
    expect(asked).toEqual([0, 2]);
  });

  it("asks for what came while nobody listened", async () => {
    stored = 2;
    const { seqs } = await read();
    stored = 4;
    // The connection begins without a place to resume: events before it are in nobody's replay.
    act(() => sources.at(-1)?.open());
    await waitFor(() => expect(seqs()).toEqual(upTo(4)));
  });

  it("says what failed and goes on from there", async () => {
    stored = 3;
    server.use(
      http.get("*/api/v1/jobs/:id/messages", () => HttpResponse.json({ code: "unavailable" }, { status: 503 }), {
        once: true,
      }),
    );
    feed.start();
    const { result } = renderHook(() => useTranscript(JOB));
    await waitFor(() => expect(result.current.error).not.toBeNull());
    act(() => result.current.retry());
    await waitFor(() => expect(result.current.isLoaded).toBe(true));
    expect(result.current.error).toBeNull();
    expect(result.current.transcript.messages).toHaveLength(3);
  });
});
