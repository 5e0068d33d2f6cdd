// How components watch the feed.
import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";
import type { LiveEvent } from "./events";
import { type FeedStatus, feed } from "./feed";
import type { JobTexts } from "./openTexts";

/** Calls `handler` for every stored event, in order and once, as long as the component is mounted. */
export function useLive(handler: (event: LiveEvent) => void): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => feed.onEvent((event) => latest.current(event)), []);
}

/** Calls `handler` when events may have been missed and what was patched by hand must be asked for again. */
export function useLiveGap(handler: () => void): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => feed.onGap(() => latest.current()), []);
}

/** Whether what is shown is live. */
export function useFeedStatus(): FeedStatus {
  return useSyncExternalStore(feed.onStatus, () => feed.status);
}

/** What a job is writing at this moment: thinking, text, and output of its running tool calls. */
export function useOpenTexts(job: string): JobTexts {
  const subscribe = useCallback(
    (changed: () => void) => {
      // Pieces come faster than screens draw.
      let frame = 0;
      const remove = feed.onTexts(job, () => {
        if (frame === 0) {
          frame = requestAnimationFrame(() => {
            frame = 0;
            changed();
          });
        }
      });
      return () => {
        cancelAnimationFrame(frame);
        remove();
      };
    },
    [job],
  );
  return useSyncExternalStore(subscribe, () => feed.textsOf(job));
}
