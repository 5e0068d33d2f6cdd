// An instant as its distance from now; the exact time with its zone is in the tooltip. One clock ticks for all.
import { useSyncExternalStore } from "react";
import { absoluteTime, relativeTime } from "../lib/format";

const TICK = 10_000;
const watchers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(changed: () => void): () => void {
  watchers.add(changed);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const watcher of watchers) watcher();
  }, TICK);
  return () => {
    watchers.delete(changed);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Milliseconds of now, ticking every ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => {
    // Without a watcher the clock stands still.
    if (timer === undefined && Date.now() - now > TICK) now = Date.now();
    return now;
  });
}

export type RelativeTimeProps = {
  at: string | null;
  /** Shown for null. */
  empty?: string;
};

export function RelativeTime({ at, empty = "never" }: RelativeTimeProps) {
  const current = useNow();
  if (at === null) return <span>{empty}</span>;
  return (
    <time dateTime={at} title={absoluteTime(at)} className="tabular">
      {relativeTime(at, Math.max(current, Date.now() - TICK))}
    </time>
  );
}
