import { describe, expect, it } from "vitest";
import type { LiveEvent } from "./events";
import { OpenTexts } from "./openTexts";

const JOB = "0198c0de-0000-7000-8000-000000000001";

function text(offset: number, said: string) {
  return { job_id: JOB, target: "text" as const, offset, text: said };
}

function output(call: string, offset: number, said: string) {
  return { job_id: JOB, provider_call_id: call, offset, text: said };
}

function closing(name: LiveEvent["name"], payload: object): LiveEvent {
  return { name, id: 1, payload: { job_id: JOB, ...payload } } as LiveEvent;
}

describe("an open text", () => {
  it("grows by the pieces that continue it", () => {
    const texts = new OpenTexts();
    texts.add(text(0, "Hel"));
    texts.add(text(3, "lo"));
    expect(texts.of(JOB).text).toMatchObject({ start: 0, text: "Hello" });
  });

  it("counts offsets in bytes of UTF-8", () => {
    const texts = new OpenTexts();
    texts.add(text(0, "añ😀"));
    texts.add(text(7, "!"));
    expect(texts.of(JOB).text?.text).toBe("añ😀!");
  });

  it("is not doubled when a reconnection says it from its start", () => {
    const texts = new OpenTexts();
    texts.add(text(0, "añ😀 one"));
    texts.add(text(0, "añ😀 one two"));
    texts.add(text(15, " three"));
    expect(texts.of(JOB).text?.text).toBe("añ😀 one two three");
  });

  it("takes what is said again from its middle, in place of what was there", () => {
    const texts = new OpenTexts();
    texts.add(text(0, "ñandu is a bird"));
    texts.add(text(7, "was here"));
    expect(texts.of(JOB).text?.text).toBe("ñandu was here");
  });

  it("begins anew at a piece that leaves a gap, and says so", () => {
    const texts = new OpenTexts();
    texts.add(output("call-1", 0, "first"));
    texts.add(output("call-1", 4_000, "later"));
    expect(texts.of(JOB).output.get("call-1")).toMatchObject({ start: 4_000, text: "later" });
  });

  it("keeps the end of what is too long to keep", () => {
    const texts = new OpenTexts();
    const line = "😀".repeat(16 * 1024);
    let offset = 0;
    for (let said = 0; said < 20; said += 1) {
      texts.add(output("call-1", offset, line));
      offset += 64 * 1024;
    }
    texts.add(output("call-1", offset, "end"));
    const held = texts.of(JOB).output.get("call-1");
    expect(held?.text.length).toBeLessThan(512 * 1024);
    expect(held?.text.endsWith("😀end")).toBe(true);
    expect(held?.text).not.toContain("\ufffd");
    expect((held?.start ?? 0) + new TextEncoder().encode(held?.text).length).toBe(offset + 3);
  });
});

describe("a stored row", () => {
  it("closes the message it holds, and leaves running tools open", () => {
    const texts = new OpenTexts();
    texts.add(text(0, "Hello"));
    texts.add(output("call-1", 0, "line"));
    expect(texts.close(closing("message", {}))).toBe(true);
    expect(texts.of(JOB).text).toBeNull();
    expect(texts.of(JOB).output.size).toBe(1);
  });

  it("closes the output of its own call alone", () => {
    const texts = new OpenTexts();
    texts.add(output("call-1", 0, "one"));
    texts.add(output("call-2", 0, "two"));
    texts.close(closing("tool.finished", { provider_call_id: "call-1" }));
    expect([...texts.of(JOB).output.keys()]).toEqual(["call-2"]);
  });

  it("of a status ends everything that was open of the job", () => {
    const texts = new OpenTexts();
    texts.add(text(0, "Hello"));
    expect(texts.close(closing("job.status", {}))).toBe(true);
    expect(texts.close(closing("job.status", {}))).toBe(false);
    expect(texts.openJobs()).toEqual([]);
  });
});
