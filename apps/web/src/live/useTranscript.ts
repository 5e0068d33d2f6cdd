// Reads a job's story once from the API and keeps it whole with live events. Events may come before, between and
// after the pages; where numbers show that something was missed, it is asked for again.
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { client } from "../api/client";
import type { LiveEvent } from "./events";
import {
  completeTo,
  emptyTranscript,
  type Message,
  type Rows,
  type Transcript,
  withEvent,
  withRows,
} from "./transcript";
import { useLive, useLiveGap } from "./useLive";

const PAGE = 100;
/** How often, in milliseconds, pages of a long transcript are shown while more of them come. */
const SHOW_EVERY = 300;

export type TranscriptState = {
  transcript: Transcript;
  /** Whether everything that was there when the page opened has come. */
  isLoaded: boolean;
  error: unknown;
  retry: () => void;
};

type Change = { rows: Rows } | { event: LiveEvent } | { job: string };

function change(transcript: Transcript, change: Change): Transcript {
  if ("rows" in change) return withRows(transcript, change.rows);
  if ("event" in change) return withEvent(transcript, change.event);
  return change.job === transcript.job ? transcript : emptyTranscript(change.job);
}

export function useTranscript(job: string): TranscriptState {
  const [transcript, apply] = useReducer(change, job, emptyTranscript);
  const [progress, setProgress] = useState<{ isLoaded: boolean; error: unknown }>({ isLoaded: false, error: null });
  const latest = useRef(transcript);
  useEffect(() => {
    latest.current = transcript;
  });
  const reading = useRef<AbortController>(null);

  const read = useCallback(
    async (after: number) => {
      reading.current?.abort();
      const mine = new AbortController();
      reading.current = mine;
      const show = (rows: Rows) => {
        if (!mine.signal.aborted) apply({ rows });
      };
      try {
        await Promise.all([readReceipts(job, mine.signal, show), readMessages(job, after, mine.signal, show)]);
        if (!mine.signal.aborted) setProgress({ isLoaded: true, error: null });
      } catch (error) {
        if (!mine.signal.aborted) setProgress((before) => ({ ...before, error }));
      }
    },
    [job],
  );

  useEffect(() => {
    apply({ job });
    setProgress({ isLoaded: false, error: null });
    void read(0);
    return () => reading.current?.abort();
  }, [job, read]);

  const catchUp = useCallback(() => void read(completeTo(latest.current)), [read]);
  useLive((event) => {
    if (event.payload.job_id === job) apply({ event });
  });
  useLiveGap(catchUp);
  const hasHole = progress.isLoaded && completeTo(transcript) < transcript.messages.length;
  useEffect(() => {
    if (hasHole) catchUp();
  }, [hasHole, catchUp]);

  const isOfJob = transcript.job === job;
  return {
    transcript: isOfJob ? transcript : emptyTranscript(job),
    isLoaded: isOfJob && progress.isLoaded,
    error: progress.error,
    retry: catchUp,
  };
}

type Show = (rows: Rows) => void;

async function readReceipts(id: string, signal: AbortSignal, show: Show): Promise<void> {
  const init = { params: { path: { id } }, signal };
  const [toolCalls, modelCalls] = await Promise.all([
    client.GET("/api/v1/jobs/{id}/tool-calls", init),
    client.GET("/api/v1/jobs/{id}/model-calls", init),
  ]);
  show({ toolCalls: toolCalls.data?.items, modelCalls: modelCalls.data?.items });
}

async function readMessages(id: string, after: number, signal: AbortSignal, show: Show): Promise<void> {
  // The cursor of a transcript is the number of the last message that was read.
  let cursor: string | null = String(after);
  let unseen: Message[] = [];
  let shownAt = 0;
  while (cursor !== null) {
    const query: { limit: number; cursor: string } = { limit: PAGE, cursor };
    const { data } = await client.GET("/api/v1/jobs/{id}/messages", { params: { path: { id }, query }, signal });
    unseen = unseen.concat(data?.items ?? []);
    cursor = data?.next_cursor ?? null;
    if (cursor === null || performance.now() - shownAt > SHOW_EVERY) {
      show({ messages: unseen });
      unseen = [];
      shownAt = performance.now();
    }
  }
}
