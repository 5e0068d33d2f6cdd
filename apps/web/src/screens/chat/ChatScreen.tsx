// Chat with any agent. It is a conversation like every other, on the built-in web integration: what is said here
// becomes a work item, its job is the same, and so is its answer.
import { useParams, useSearch } from "@tanstack/react-router";
import { Page } from "../../components/Page";
import classes from "./ChatScreen.module.css";
import { Conversation } from "./Conversation";
import { ConversationList } from "./ConversationList";
import { NewChat } from "./NewChat";

export function ChatScreen() {
  const { conversationId } = useParams({ strict: false });
  const { agent_id } = useSearch({ strict: false });
  return (
    <Page fill title="Chat" subtitle={undefined}>
      <div className={classes.panes} data-thread={conversationId !== undefined || undefined}>
        <nav className={classes.list} aria-label="Conversations">
          <ConversationList selected={conversationId ?? null} />
        </nav>
        <section className={classes.thread} aria-label="Conversation">
          {conversationId === undefined ? (
            <NewChat key={agent_id} agentId={agent_id ?? null} />
          ) : (
            <Conversation key={conversationId} id={conversationId} />
          )}
        </section>
      </div>
    </Page>
  );
}
