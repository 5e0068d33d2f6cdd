// The keyboard: which keys do what, for the code that heeds them and for the sheet that explains them.
import { useEffect, useRef } from "react";

/** Where `g` and a second key lead. */
export const GO_TO = [
  { key: "h", to: "/", label: "Home" },
  { key: "i", to: "/inbox", label: "Inbox" },
  { key: "a", to: "/agents", label: "Agents" },
  { key: "c", to: "/chat", label: "Chat" },
  { key: "n", to: "/integrations", label: "Integrations" },
  { key: "e", to: "/effects", label: "Effects" },
  { key: "p", to: "/approvals", label: "Approvals" },
  { key: "o", to: "/costs", label: "Costs" },
  { key: "u", to: "/audit", label: "Audit" },
  { key: "s", to: "/settings", label: "Settings" },
] as const;

const MOD = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
/** What opens the command palette, as this person's keyboard has it. */
export const COMMAND_KEY = `${MOD} K`;

export const OTHER_KEYS = [
  { keys: [MOD, "K"], label: "Open the command palette" },
  { keys: ["?"], label: "Show this sheet" },
  { keys: ["/"], label: "Search in the list" },
  { keys: ["j"], label: "Next row" },
  { keys: ["k"], label: "Previous row" },
  { keys: ["Enter"], label: "Open the row" },
  { keys: ["Esc"], label: "Close what is open" },
] as const;

/** How long the second key may take, in milliseconds. */
const PATIENCE = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

export type Pressed = {
  /** The second key after a `g`. */
  go: (key: string) => void;
  /** A question mark, wherever it is on the keyboard. */
  help: () => void;
};

/** The keys of the whole app, but not while somebody types or a dialog is open. */
export function useKeys(pressed: Pressed): void {
  const latest = useRef(pressed);
  useEffect(() => {
    latest.current = pressed;
  });
  useEffect(() => {
    let begun = Number.NEGATIVE_INFINITY;
    const heed = (event: KeyboardEvent) => {
      const isPlain = !event.metaKey && !event.ctrlKey && !event.altKey;
      if (!isPlain || isTyping(event.target) || document.querySelector("[role=dialog]") !== null) return;
      if (event.timeStamp - begun < PATIENCE) {
        begun = Number.NEGATIVE_INFINITY;
        latest.current.go(event.key);
      } else if (event.key === "?") {
        latest.current.help();
      } else if (event.key === "g") {
        begun = event.timeStamp;
      }
    };
    document.addEventListener("keydown", heed);
    return () => document.removeEventListener("keydown", heed);
  }, []);
}
