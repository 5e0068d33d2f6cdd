// Why an effect stands where it stands and what a person can do about it, in plain words. Kept apart from the
// screen because the same words serve the list, the drawer and the cards on other screens.
import type { components } from "../../api/schema";

export type EffectView = components["schemas"]["EffectView"];
export type EffectStatus = components["schemas"]["EffectStatus"];

/** What a person may do with it; the words of the API. */
export type Choice = "release" | "resend" | "mark_sent" | "cancel";

export type Standing = {
  /** One short sentence: the state; null where its name says it all. */
  title: string | null;
  /** Why, and what it takes to go on; null where the state says it all. */
  why: string | null;
  choices: Choice[];
};

export function standing(effect: EffectView): Standing {
  switch (effect.status) {
    case "held":
      return {
        title: "Waiting for a person",
        why: "Nothing is sent until somebody says so: this agent's changes need an approval.",
        choices: ["release", "cancel"],
      };
    case "pending":
      return effect.attempts === 0
        ? { title: "Waiting for its turn", why: null, choices: ["cancel"] }
        : {
            title: "Will be tried again",
            why: sentences(`${times(effect.attempts)} so far`, effect.detail),
            choices: ["cancel"],
          };
    case "sending":
      return { title: "Being sent", why: null, choices: [] };
    case "sent":
      return { title: null, why: effect.detail ? sentences(effect.detail) : null, choices: [] };
    case "unknown":
      return {
        title: "Nobody knows whether it arrived",
        why: "The connection broke, or the server stopped, while it was being sent. Look at the destination first: sent again, people may see it twice.",
        choices: ["mark_sent", "resend", "cancel"],
      };
    case "failed":
      return { title: deadTitle(effect), why: deadWhy(effect), choices: ["release"] };
    case "cancelled":
      return { title: "Withdrawn", why: "It was taken back before it was sent.", choices: [] };
  }
}

function deadTitle(effect: EffectView): string {
  switch (effect.dead_reason) {
    case "expired":
      return "Too old to be of use";
    case "blocked":
      return "The destination refuses it";
    case "attempts":
      return "Tried often enough";
    case null:
      return "It could not be sent";
  }
}

function deadWhy(effect: EffectView): string {
  switch (effect.dead_reason) {
    case "expired":
      return sentences(
        effect.detail,
        "It could not go out in time. Sent now, it may answer a question nobody asks any more",
      );
    case "blocked":
      return sentences(effect.detail, "Once the destination takes messages from us again, send it again");
    case "attempts":
      return sentences(times(effect.attempts), effect.detail, "When the cause is gone, send it again");
    case null:
      return sentences(effect.detail ?? "No cause was recorded");
  }
}

export function choiceLabel(choice: Choice, status: EffectStatus): string {
  switch (choice) {
    case "release":
      return status === "failed" ? "Send again" : "Send it";
    case "resend":
      return "It is not there: send again";
    case "mark_sent":
      return "It arrived: mark as sent";
    case "cancel":
      return "Do not send";
  }
}

/** What it does, in a few words. A server newer than this page may know kinds that this page does not. */
export function actionLabel(action: EffectView["action"]): string {
  const kind: string = action.kind;
  if (kind === "progress" && "edit" in action && action.edit !== null) return "Edit of the progress message";
  return LABELS[kind] ?? kind;
}

const LABELS: Record<string, string> = {
  reply: "Reply",
  receipt: "Mark on the message",
  progress: "Progress message",
  question: "Question to people",
};

function times(count: number): string {
  return count === 1 ? "Tried once" : `Tried ${count} times`;
}

/** Parts become sentences: an initial capital, one full stop. */
function sentences(...parts: (string | null)[]): string {
  return parts
    .filter((part): part is string => part !== null && part.trim() !== "")
    .map((part) => {
      const text = part.trim().replace(/[.:;]+$/, "");
      return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
    })
    .join(" ");
}
