// How long a question stays open, counting down by itself; the exact time is in the tooltip.
import { Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { absoluteTime } from "../lib/format";
import { remaining } from "./remaining";

/** Browsers fire timers that are longer than this at once. */
const LONGEST_TIMER = 2_000_000_000;

export function Countdown({ expiresAt }: { expiresAt: string }) {
  const [now, setNow] = useState(() => Date.now());
  const { text, isUrgent, isOver, nextChange } = remaining(expiresAt, now);
  useEffect(() => {
    if (nextChange === null) return;
    // `now` ends the effect even when two texts take equally long to change.
    const timer = setTimeout(() => setNow(Math.max(Date.now(), now + 1)), Math.min(nextChange, LONGEST_TIMER));
    return () => clearTimeout(timer);
  }, [nextChange, now]);
  return (
    <Text
      component="time"
      dateTime={expiresAt}
      title={absoluteTime(expiresAt)}
      size="sm"
      className="tabular"
      c={isUrgent ? "var(--state-waiting)" : "dimmed"}
      fw={isUrgent || isOver ? 600 : undefined}
    >
      {text}
    </Text>
  );
}
