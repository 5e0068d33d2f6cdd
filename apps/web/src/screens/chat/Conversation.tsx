// One conversation: what was said, what agents answered, and the answer that is being written right now.
import { Button } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useRef } from "react";
import { useAgentNames } from "../../api/names";
import { useMay } from "../../api/session";
import { AgentAvatar } from "../../components/AgentAvatar";
import { Composer } from "../../components/Composer";
import { CopyId } from "../../components/CopyId";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink, TextLink } from "../../components/Links";
import { CardSkeleton } from "../../components/Skeletons";
import classes from "./ChatScreen.module.css";
import { Entry } from "./Entry";
import { LiveAnswer } from "./LiveAnswer";
import { useConversation } from "./useConversation";
import { useStickToEnd } from "./useStickToEnd";

export function Conversation({ id }: { id: string }) {
  const chat = useConversation(id);
  const mayOperate = useMay("work", "operate");
  const agents = useAgentNames();
  const scroller = useRef<HTMLDivElement>(null);
  const stick = useStickToEnd(scroller);
  const agentId = chat.conversation?.agent_id ?? null;
  const name = agentId === null ? "every agent" : (agents.get(agentId) ?? "the agent");
  const problem = chat.error !== null && (
    <ErrorState error={chat.error} title="The chat could not be loaded" retry={chat.retry} />
  );
  if (!chat.isLoaded) return problem || <CardSkeleton height={240} />;
  return (
    <>
      {problem}
      <div className={classes.head}>
        <ButtonLink to="/chat" variant="subtle" color="gray" px={4} className={classes.back} aria-label="All chats">
          <IconArrowLeft size={16} aria-hidden />
        </ButtonLink>
        <AgentAvatar name={name} size={20} />
        {agentId === null ? (
          name
        ) : (
          <TextLink to="/agents/$id" params={{ id: agentId }}>
            {name}
          </TextLink>
        )}
        <CopyId id={id} of="conversation" />
      </div>
      <div ref={scroller} className={classes.scroller} onScroll={stick.onScroll}>
        <ol ref={stick.content} className={classes.messages} aria-label="Messages">
          {chat.hasEarlier && (
            <li>
              <Button variant="subtle" color="gray" loading={chat.isLoadingEarlier} onClick={chat.loadEarlier}>
                Earlier messages
              </Button>
            </li>
          )}
          {chat.entries.map((entry) => (
            <li key={`${entry.kind}-${entry.id}`}>
              <Entry entry={entry} />
            </li>
          ))}
          {chat.sending.map((one) => (
            <li key={one.key}>
              <div className={classes.mine} data-waiting>
                {one.text}
              </div>
            </li>
          ))}
          {chat.running.map((job) => (
            <li key={job.id}>
              <LiveAnswer job={job} />
            </li>
          ))}
        </ol>
      </div>
      {mayOperate && (
        <div className={classes.composer}>
          <Composer
            place={`conversation ${id}`}
            label={`Message to ${name}`}
            placeholder={`Say something to ${name}`}
            onSend={chat.send}
            autoFocus
          />
        </div>
      )}
    </>
  );
}
