// What to do next, in plain words, from what a connection test or the stored health says. The server's detail is
// for people already and is always shown; this adds the one step that follows from it on this screen.
import type { ChannelDescriptor } from "./channelTypes";
import type { Health, IntegrationTest } from "./types";

export type NextStep = {
  tone: "done" | "waiting" | "failed" | "idle";
  title: string;
  /** Sentences of the server, one each. */
  notes: string[];
  action: "hello" | "edit" | "test" | "enable" | "agents";
};

type Seen = { health: Health; detail: string | null };

export function nextStep(seen: Seen, enabled: boolean, agents: number | null): NextStep {
  const notes = notesOf(seen.detail);
  if (!enabled) return { tone: "idle", title: "It is switched off: nothing comes in.", notes, action: "enable" };
  if (seen.health === "failed") return { tone: "failed", title: "It does not work.", notes, action: "edit" };
  if (agents === 0)
    return {
      tone: "waiting",
      title: "No agent sees it: messages come in and nobody answers.",
      notes,
      action: "agents",
    };
  if (seen.health === "unknown") return { tone: "idle", title: "It was not tried yet.", notes, action: "test" };
  if (seen.health === "degraded")
    return { tone: "waiting", title: "It works, with a reservation.", notes, action: "hello" };
  return { tone: "done", title: "It works.", notes, action: "hello" };
}

/** The server says one reservation per line. */
function notesOf(detail: string | null): string[] {
  if (!detail) return [];
  return detail
    .split(/\n+/)
    .map((note) => note.trim())
    .filter((note) => note !== "")
    .map((note) => note.charAt(0).toUpperCase() + note.slice(1));
}

/** A test's answer in one line, for screen readers and notifications. */
export function testSummary(channel: ChannelDescriptor, test: IntegrationTest): string {
  const account = test.account ? ` as ${test.account}` : "";
  switch (test.health) {
    case "ok":
      return `Connected to ${channel.label}${account}.`;
    case "degraded":
      return `Connected to ${channel.label}${account}, with a reservation.`;
    case "failed":
      return `${channel.label} could not be reached or refused the settings.`;
    case "unknown":
      return "The test gave no answer.";
  }
}

/** Where Telegram or another vendor calls this server; null without a public address. */
export function webhookUrl(publicUrl: string | null, type: string, id: string): string | null {
  if (!publicUrl) return null;
  return `${publicUrl.replace(/\/+$/, "")}/webhooks/${type}/${id}`;
}
