// The first word to an agent: choose whom, say it, and the conversation begins.
import { Select, Stack, Text } from "@mantine/core";
import { IconMessagePlus, IconRobot } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { $api } from "../../api/client";
import { sendOnce, unsent } from "../../api/sendOnce";
import { useMay } from "../../api/session";
import { Composer } from "../../components/Composer";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink } from "../../components/Links";
import { notifyProblem } from "../../components/notify";
import { CardSkeleton } from "../../components/Skeletons";
import { titleOf } from "../../lib/format";
import classes from "./ChatScreen.module.css";

export function NewChat({ agentId }: { agentId: string | null }) {
  const agents = $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 100 } } });
  const mayOperate = useMay("work", "operate");
  const mayCreate = useMay("agents", "administer");
  const [chosen, setChosen] = useState(agentId);
  const begin = useBegin();
  const problem = agents.error !== null && (
    <ErrorState error={agents.error} title="The agents could not be loaded" retry={() => void agents.refetch()} />
  );
  if (agents.data === undefined) return problem || <CardSkeleton />;
  const able = agents.data.items.filter((agent) => agent.enabled && agent.archived_at === null);
  const agent = able.find((one) => one.id === chosen) ?? able[0];
  if (agent === undefined) {
    return (
      <EmptyState
        icon={IconRobot}
        title="There is no agent to talk to"
        action={mayCreate && <ButtonLink to="/agents/new">New agent</ButtonLink>}
      >
        Create an agent, or switch one on, and say hello to it here.
      </EmptyState>
    );
  }
  if (!mayOperate) {
    return (
      <EmptyState icon={IconMessagePlus} title="You may read chats">
        Your role lets you read what is said here, but not begin a chat. Ask an admin for the role of a member.
      </EmptyState>
    );
  }
  return (
    <>
      {problem}
      <div className={classes.scroller}>
        <Stack gap="sm" className={classes.messages}>
          <Text component="h2" fw={600} mt="lg">
            New chat
          </Text>
          <Select
            label="With"
            data={able.map((one) => ({ value: one.id, label: one.name }))}
            value={agent.id}
            onChange={setChosen}
            allowDeselect={false}
            searchable={able.length > 8}
            maw={320}
          />
          <Text size="sm" c="dimmed">
            It answers here, and what it does is shown while it does it.
          </Text>
        </Stack>
      </div>
      <div className={classes.composer}>
        <Composer
          place="new chat"
          label={`Message to ${agent.name}`}
          placeholder={`Say something to ${agent.name}`}
          onSend={(text) => begin(agent.id, text)}
          autoFocus
        />
      </div>
    </>
  );
}

function useBegin() {
  const create = $api.useMutation("post", "/api/v1/conversations");
  const send = $api.useMutation("post", "/api/v1/work-items");
  const cache = useQueryClient();
  const navigate = useNavigate();
  /** A conversation that was made and in which nothing could be said: the next attempt goes on in it. */
  const silent = useRef<{ id: string; agentId: string } | null>(null);
  const conversationWith = async (agentId: string, text: string): Promise<string> => {
    if (silent.current?.agentId === agentId) return silent.current.id;
    const body = { agent_id: agentId, title: titleOf(text) };
    const { id } = await sendOnce("new chat", body, (init) => create.mutateAsync(init));
    silent.current = { id, agentId };
    return id;
  };
  return async (agentId: string, text: string) => {
    try {
      const id = await conversationWith(agentId, text);
      const body = { text, agent_ids: [agentId], conversation_id: id };
      await sendOnce(`conversation ${id}`, body, (init) => send.mutateAsync(init));
      silent.current = null;
      void cache.invalidateQueries({ queryKey: ["get", "/api/v1/conversations"] });
      await navigate({ to: "/chat/$conversationId", params: { conversationId: id } });
    } catch (error) {
      notifyProblem(unsent(error, "The chat did not begin"), error);
      throw error;
    }
  };
}
