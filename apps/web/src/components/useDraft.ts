// What a person typed somewhere and has not sent. It is there again after a look elsewhere, a login or a reload.
import { useSyncExternalStore } from "react";
import { useSession } from "../api/session";
import { tabStore } from "../lib/tabStore";

type Change = (text: string) => string;

/** The draft of a place ("conversation 7"), which nobody else who logs in here gets to see, and how to change it. */
export function useDraft(place: string): [string, (change: Change) => void] {
  const name = `draft ${useSession().actor.id} ${place}`;
  const text = useSyncExternalStore(tabStore.onChange, () => tabStore.read(name) ?? "");
  const setText = (change: Change) => {
    // Read now, because an answer may come long after this was drawn.
    const next = change(tabStore.read(name) ?? "");
    tabStore.write(name, next === "" ? null : next);
  };
  return [text, setText];
}
