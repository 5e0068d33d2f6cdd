// However pages and events interleave, are repeated or break off, a reader ends with what the database holds.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LiveEvent, Piece } from "./events";
import { OpenTexts } from "./openTexts";
import {
  completeTo,
  emptyTranscript,
  type Message,
  type ModelCall,
  type ToolCall,
  type Transcript,
  withEvent,
  withRows,
} from "./transcript";

const JOB = "job";
const AT = "2026-11-23T10:00:00Z";

function message(seq: number): Message {
  return { id: `m${seq}`, job_id: JOB, seq, role: "assistant", parts: [], created_at: AT };
}

function toolCall(place: number, status: ToolCall["status"]): ToolCall {
  return {
    id: `t${place}`,
    job_id: JOB,
    message_id: "m1",
    position: place,
    provider_call_id: `call_${place}`,
    name: "bash",
    arguments: { state: "valid", value: {} },
    status,
    result: status === "running" ? null : "done",
    detail: null,
    started_at: AT,
    finished_at: status === "running" ? null : AT,
  };
}

function modelCall(place: number, status: ModelCall["status"]): ModelCall {
  return {
    id: `c${place}`,
    work_item_id: "w",
    job_id: JOB,
    purpose: "turn",
    model: "demo/scripted",
    status,
    usage: { input: 1, output: 1, cache_read: 0, cache_write: 0 },
    reserved_micros: 0,
    cost_micros: place,
    outcome: null,
    started_at: AT,
    finished_at: null,
  };
}

type Step = (transcript: Transcript) => Transcript;

/** Every row of a job of `count` messages, tool calls and model calls, once as an event and once in a page. */
function allSteps(count: number): { once: Step[]; again: Step[] } {
  const event =
    (event: LiveEvent): Step =>
    (transcript) =>
      withEvent(transcript, event);
  const places = Array.from({ length: count }, (_, place) => place + 1);
  const once = places.flatMap((place) => [
    event({ name: "message", id: place, payload: message(place) }),
    event({ name: "tool.finished", id: place, payload: toolCall(place, "succeeded") }),
    event({ name: "usage", id: place, payload: modelCall(place, "settled") }),
  ]);
  const again = places.flatMap((place): Step[] => [
    event({ name: "tool.started", id: place, payload: toolCall(place, "running") }),
    (transcript) => withRows(transcript, { messages: places.slice(place - 1, place + 2).map(message) }),
    (transcript) => withRows(transcript, { toolCalls: [toolCall(place, "running")] }),
    (transcript) => withRows(transcript, { modelCalls: [modelCall(place, "reserved")] }),
    event({ name: "message", id: place, payload: { ...message(place), job_id: "another job" } }),
  ]);
  return { once, again };
}

describe("the transcript", () => {
  it("ends with what the database holds, in whatever order and however often rows come", () => {
    const story = fc.integer({ min: 1, max: 12 }).chain((count) => {
      const { once, again } = allSteps(count);
      const repeats = fc.subarray([...again, ...once]);
      const order = repeats.chain((more) => {
        const steps = [...once, ...more];
        return fc.shuffledSubarray(steps, { minLength: steps.length });
      });
      return fc.record({ count: fc.constant(count), order });
    });
    fc.assert(
      fc.property(story, ({ count, order }) => {
        const end = order.reduce((transcript, step) => step(transcript), emptyTranscript(JOB));
        const places = Array.from({ length: count }, (_, place) => place + 1);
        expect(end.messages).toEqual(places.map(message));
        expect([...end.toolCalls.values()].sort((a, b) => a.position - b.position)).toEqual(
          places.map((place) => toolCall(place, "succeeded")),
        );
        expect(new Map(end.modelCalls)).toEqual(
          new Map(places.map((place) => [`c${place}`, modelCall(place, "settled")])),
        );
      }),
    );
  });

  it("knows up to where nothing is missing", () => {
    const some = withRows(emptyTranscript(JOB), { messages: [message(1), message(2), message(5)] });
    expect(completeTo(some)).toBe(2);
    expect(completeTo(withRows(some, { messages: [message(3), message(4)] }))).toBe(5);
    expect(completeTo(emptyTranscript(JOB))).toBe(0);
  });

  it("stays the same object when nothing is new", () => {
    const some = withRows(emptyTranscript(JOB), { messages: [message(1)] });
    expect(withRows(some, { messages: [message(1)] }).messages).toBe(some.messages);
  });
});

describe("open texts", () => {
  it("show each character once, however often the reader connects again", () => {
    const scene = fc.record({
      pieces: fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 20 }),
      drops: fc.array(fc.nat(20)),
    });
    fc.assert(
      fc.property(scene, ({ pieces, drops }) => {
        const texts = new OpenTexts();
        const bytes = (text: string) => new TextEncoder().encode(text).length;
        let soFar = "";
        const say = (offset: number, text: string) => {
          const piece: Piece = { job_id: JOB, provider_call_id: "call", offset, text };
          texts.add(piece);
        };
        pieces.forEach((piece, place) => {
          say(bytes(soFar), piece);
          soFar += piece;
          // After a reconnection the server says all that is open at once.
          if (drops.includes(place)) say(0, soFar);
        });
        expect(texts.of(JOB).output.get("call")?.text).toBe(soFar);
      }),
    );
  });
});
