// Texts that are being written right now, put together from their pieces. Nothing here is truth: the stored row
// that follows holds the whole text and closes it. The rules are the server's own, so that a reader who connects
// again ends with exactly what is open, without a doubled or missing line.
import type { LiveEvent, Piece } from "./events";

export type OpenText = {
  /** How many bytes came before what is kept; above 0 the beginning is not shown. */
  start: number;
  text: string;
};

export type JobTexts = {
  thinking: OpenText | null;
  text: OpenText | null;
  /** Output of running tool calls, by the provider's id of the call. */
  output: ReadonlyMap<string, OpenText>;
};

export const NOTHING_OPEN: JobTexts = { thinking: null, text: null, output: new Map() };

/** Beyond this only the later half is kept: nobody reads more of it while it runs. */
const KEPT_CHARACTERS = 512 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Held = OpenText & { end: number };

export class OpenTexts {
  private readonly jobs = new Map<string, Map<string, Held>>();

  /** Adds a piece; one that does not continue what is held begins it anew. */
  add(piece: Piece): void {
    const texts = this.jobs.get(piece.job_id) ?? new Map<string, Held>();
    this.jobs.set(piece.job_id, texts);
    const key = keyOf(piece);
    const held = texts.get(key);
    texts.set(key, joined(held, piece));
  }

  /** A stored row makes the text it grew from superfluous. Says whether something was open. */
  close(event: LiveEvent): boolean {
    const job = event.payload.job_id;
    const texts = job === null ? undefined : this.jobs.get(job);
    if (job === null || texts === undefined) return false;
    switch (event.name) {
      case "job.status":
        return this.jobs.delete(job);
      case "message":
        return [texts.delete("thinking"), texts.delete("text")].includes(true);
      case "tool.finished":
        return texts.delete(outputKey(event.payload.provider_call_id));
      default:
        return false;
    }
  }

  of(job: string): JobTexts {
    const texts = this.jobs.get(job);
    if (texts === undefined || texts.size === 0) return NOTHING_OPEN;
    const output = new Map<string, OpenText>();
    for (const [key, held] of texts) {
      if (key.startsWith(OUTPUT)) output.set(key.slice(OUTPUT.length), held);
    }
    return { thinking: texts.get("thinking") ?? null, text: texts.get("text") ?? null, output };
  }

  /** Which jobs have something open. */
  openJobs(): string[] {
    return [...this.jobs.keys()];
  }

  clear(): void {
    this.jobs.clear();
  }
}

const OUTPUT = "output:";

function outputKey(call: string): string {
  return OUTPUT + call;
}

function keyOf(piece: Piece): string {
  return piece.provider_call_id === undefined ? (piece.target ?? "text") : outputKey(piece.provider_call_id);
}

function joined(held: Held | undefined, piece: Piece): Held {
  const bytes = encoder.encode(piece.text).length;
  const end = piece.offset + bytes;
  if (held === undefined || piece.offset < held.start || piece.offset > held.end) {
    return capped({ start: piece.offset, end, text: piece.text });
  }
  // What is said again replaces what was held from there on: after a reconnection, and when a call is made anew.
  const kept = piece.offset === held.end ? held.text : firstBytes(held.text, piece.offset - held.start);
  return capped({ start: held.start, end, text: kept + piece.text });
}

function firstBytes(text: string, count: number): string {
  return decoder.decode(encoder.encode(text).subarray(0, count));
}

function capped(held: Held): Held {
  if (held.text.length <= KEPT_CHARACTERS) return held;
  let cut = held.text.length - KEPT_CHARACTERS / 2;
  // Never between the two halves of one character.
  if (isLowSurrogate(held.text.charCodeAt(cut))) cut += 1;
  const dropped = encoder.encode(held.text.slice(0, cut)).length;
  return { start: held.start + dropped, end: held.end, text: held.text.slice(cut) };
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
