// What was said, or what became of it: an answer, a notice that there is none, or why nobody acted.

import { useAgentNames } from "../../api/names";
import { useSession } from "../../api/session";
import type { ConversationEntryView } from "../../api/types";
import { AgentAvatar } from "../../components/AgentAvatar";
import { TextLink } from "../../components/Links";
import { Markdown } from "../../components/Markdown";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import classes from "./ChatScreen.module.css";

export function Entry({ entry }: { entry: ConversationEntryView }) {
  const agents = useAgentNames();
  const me = useSession().actor.name;
  if (entry.kind === "message")
    return (
      <div className={classes.mine}>
        {entry.author !== null && entry.author !== me && <div className={classes.other}>{entry.author}</div>}
        {entry.text}
      </div>
    );
  const name = (entry.agent_id === null ? null : agents.get(entry.agent_id)) ?? entry.author ?? "Agent";
  return (
    <article>
      <div className={classes.by}>
        <AgentAvatar name={name} size={18} />
        <strong>{name}</strong>
        <RelativeTime at={entry.at} />
        {entry.job_status !== null && entry.job_status !== "completed" && (
          <StatusBadge kind="job" status={entry.job_status} />
        )}
        <Delivery entry={entry} />
        {entry.job_id !== null && (
          <TextLink to="/jobs/$id" params={{ id: entry.job_id }} size="xs">
            How it got there
          </TextLink>
        )}
      </div>
      {entry.kind === "reply" ? <Markdown text={entry.text} /> : <div className={classes.notice}>{entry.text}</div>}
    </article>
  );
}

/** An answer that arrived needs no word; every other state does. */
function Delivery({ entry }: { entry: ConversationEntryView }) {
  if (entry.effect_status === null || entry.effect_status === "sent") return null;
  return (
    <>
      <StatusBadge kind="effect" status={entry.effect_status} />
      {entry.effect_status === "held" && entry.job_id !== null && (
        <TextLink to="/approvals" search={{ job_id: entry.job_id }} size="xs">
          A draft: it waits for an approval
        </TextLink>
      )}
    </>
  );
}
