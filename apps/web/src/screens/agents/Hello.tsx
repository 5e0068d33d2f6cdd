// The first conversation with a new agent: a real one, on the built-in web integration, with its answer as it is
// written. It ends the set-up, because an agent that has answered once is known to work.
import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api } from "../../api/client";
import { sendOnce, unsent } from "../../api/sendOnce";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink, TextLink } from "../../components/Links";
import { HelloEntries } from "./HelloEntries";
import type { AgentTemplate } from "./templates";
import type { AgentView } from "./types";

const ENTRIES = "/api/v1/conversations/{id}/entries";

export default function Hello({ agent, template }: { agent: AgentView; template: AgentTemplate }) {
  const [text, setText] = useState(template.hello);
  const [conversationId, setConversationId] = useState<string | null>(null);
  const cache = useQueryClient();
  const open = $api.useMutation("post", "/api/v1/conversations");
  const say = $api.useMutation("post", "/api/v1/work-items");
  const isSending = open.isPending || say.isPending;
  const failure = open.error ?? say.error;

  const openConversation = async () => {
    const body = { agent_id: agent.id, title: `Hello, ${agent.name}` };
    return (await sendOnce(`hello ${agent.id}`, body, (init) => open.mutateAsync(init))).id;
  };
  const send = async () => {
    const words = text.trim();
    if (words === "" || isSending) return;
    try {
      const conversation = conversationId ?? (await openConversation());
      setConversationId(conversation);
      const body = { text: words, conversation_id: conversation, agent_ids: [agent.id] };
      await sendOnce(`conversation ${conversation}`, body, (init) => say.mutateAsync(init));
      setText("");
      await cache.invalidateQueries({ queryKey: ["get", ENTRIES] });
    } catch {
      // Shown below the field, which keeps what was typed.
    }
  };

  return (
    <Stack gap="lg">
      <Stack gap="xs">
        <Title order={2}>Say hello to {agent.name}</Title>
        <Text size="sm" c="dimmed">
          {agent.name} is made and listens. This is a real conversation; you find it again under Chat.
        </Text>
      </Stack>
      {conversationId !== null && <HelloEntries agent={agent} conversationId={conversationId} />}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput
            label={`Message to ${agent.name}`}
            flex="1 1 240px"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" size="sm" loading={isSending} leftSection={<IconSend size={16} aria-hidden />}>
            Send
          </Button>
        </Group>
      </form>
      {failure && <ErrorState error={failure} title={unsent(failure, "The message was not sent")} />}
      {template.afterwards !== undefined && (
        <Text size="sm">
          {template.afterwards}{" "}
          <TextLink
            to="/agents/$id"
            params={{ id: agent.id }}
            search={{ tab: "sprite", part: "network" }}
            underline="always"
          >
            Open its network policy
          </TextLink>
        </Text>
      )}
      <Group gap="sm">
        <ButtonLink to="/agents/$id" params={{ id: agent.id }} variant="default">
          Go to {agent.name}
        </ButtonLink>
        <ButtonLink to="/integrations/new" variant="default">
          Connect a channel
        </ButtonLink>
        {conversationId !== null && (
          <ButtonLink to="/chat/$conversationId" params={{ conversationId }} variant="default">
            Go on in Chat
          </ButtonLink>
        )}
      </Group>
    </Stack>
  );
}
