// Whether what is shown is live: a dot with a word, amber while it reconnects.
import { useFeedStatus } from "../live/useLive";
import classes from "./LiveDot.module.css";

const WORDS = {
  live: { word: "Live", title: "Changes appear as they happen." },
  reconnecting: {
    word: "Reconnecting",
    title: "The connection broke off; what happens meanwhile appears when it is back.",
  },
  offline: { word: "Offline", title: "This device has no network; what is shown may be old." },
} as const;

export function LiveDot() {
  const status = useFeedStatus();
  const { word, title } = WORDS[status];
  return (
    <span className={classes.live} data-status={status} title={title} role="status">
      <span className={classes.dot} aria-hidden />
      {word}
    </span>
  );
}
