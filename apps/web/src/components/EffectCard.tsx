// One change to the outside world: what it does, where it goes, how it stands and why.
import { Group, Text } from "@mantine/core";
import { IconCheck, IconMessageQuestion, IconMessageReply, IconProgress } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useIntegrationNames } from "../api/names";
import type { components } from "../api/schema";
import { count } from "../lib/format";
import classes from "./EffectCard.module.css";
import { TextLink } from "./Links";
import { Markdown } from "./Markdown";
import { RelativeTime } from "./RelativeTime";
import { StatusBadge } from "./StatusBadge";

type Effect = components["schemas"]["EffectView"];

const KINDS = {
  reply: { word: "Reply", icon: IconMessageReply },
  receipt: { word: "Mark as seen", icon: IconCheck },
  progress: { word: "Progress message", icon: IconProgress },
  question: { word: "Question", icon: IconMessageQuestion },
} as const;

const REASONS: Record<NonNullable<Effect["dead_reason"]>, string> = {
  expired: "It was too old to be of use.",
  blocked: "The destination refuses it: a blocked bot, a deleted chat or a wrong key.",
  attempts: "It was tried often enough.",
};

const STANDS: Partial<Record<Effect["status"], string>> = {
  held: "It waits for a person to release it.",
  unknown: "The connection broke off while it was sent: nobody knows whether it arrived.",
};

/** Text longer than this is folded. */
const LONG = 600;

export type EffectCardProps = {
  effect: Effect;
  /** What can be done about it. */
  actions?: ReactNode;
};

export function EffectCard({ effect, actions }: EffectCardProps) {
  const integrations = useIntegrationNames();
  // A server newer than this page may know kinds that this page does not.
  const known = KINDS[effect.action.kind] as (typeof KINDS)[keyof typeof KINDS] | undefined;
  const KindIcon = known?.icon ?? IconCheck;
  const text = "markdown" in effect.action ? effect.action.markdown : "";
  const why = effect.detail ?? (effect.dead_reason === null ? STANDS[effect.status] : REASONS[effect.dead_reason]);
  return (
    <div className={classes.card}>
      <div className={classes.head}>
        <KindIcon size={14} className={classes.icon} aria-hidden />
        <TextLink to="/effects" search={{ id: effect.id }} size="sm" fw={600} c="inherit">
          {known?.word ?? effect.action.kind}
        </TextLink>
        <Text size="sm" c="dimmed" className={classes.where}>
          to {integrations.get(effect.integration_id) ?? "an integration"}
        </Text>
        <StatusBadge kind="effect" status={effect.status} />
        <Text size="xs" c="dimmed" component="span">
          <RelativeTime at={effect.settled_at ?? effect.created_at} />
        </Text>
      </div>
      {why !== undefined && why !== null && effect.status !== "sent" && (
        <Text size="sm" c="dimmed">
          {sentence(why)}
          {effect.attempts > 1 && ` Tried ${count(effect.attempts, "time")}.`}
        </Text>
      )}
      {text !== "" && <Folded text={text} />}
      {actions !== undefined && <Group gap="sm">{actions}</Group>}
    </div>
  );
}

function Folded({ text }: { text: string }) {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > LONG;
  return (
    <div className={classes.text}>
      <Markdown text={isLong && !isOpen ? `${text.slice(0, LONG)}…` : text} />
      {isLong && (
        <button type="button" className={classes.more} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Show less" : "Show all"}
        </button>
      )}
    </div>
  );
}

/** Errors of the server begin in lower case, because they are also parts of sentences. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
