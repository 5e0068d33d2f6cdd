// Where an agent is reached. Integrations that every agent sees are shown and cannot be unticked here: naming one
// agent would hide them from all others, which is decided on the integration itself.
import { Checkbox, Group, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";
import { ListSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import { channelOf } from "../integrations/channelTypes";
import type { AgentView } from "./types";

export function AgentIntegrations({ agent }: { agent: AgentView }) {
  const mayChange = useMay("agents", "administer");
  const cache = useQueryClient();
  const integrations = $api.useQuery("get", "/api/v1/integrations", { params: { query: { limit: 100 } } });
  const put = $api.useMutation("put", "/api/v1/agents/{id}/integrations", {
    onSettled: () =>
      cache.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[1]).startsWith("/api/v1/integrations") }),
  });
  const problem = integrations.error !== null && (
    <ErrorState error={integrations.error} title="The integrations could not be listed" />
  );
  if (integrations.data === undefined) return problem || <ListSkeleton />;
  const { items } = integrations.data;
  const named = items
    .filter((integration) => integration.agent_ids?.includes(agent.id))
    .map((integration) => integration.id);
  const toggle = (id: string, isSeen: boolean) =>
    put.mutate({
      params: { path: { id: agent.id } },
      body: { integration_ids: isSeen ? [...named, id] : named.filter((one) => one !== id) },
    });
  return (
    <Stack gap="sm">
      {problem}
      {put.isError && <ErrorState error={put.error} title="The integrations were not changed" />}
      {items.map((integration) => {
        const isForAll = integration.agent_ids === null;
        return (
          <Group key={integration.id} gap="md" wrap="nowrap" align="flex-start">
            <Checkbox
              aria-label={`${agent.name} sees ${integration.name}`}
              mt={2}
              checked={isForAll || named.includes(integration.id)}
              disabled={isForAll || !mayChange || put.isPending}
              onChange={(event) => toggle(integration.id, event.currentTarget.checked)}
            />
            <Stack gap={0} flex={1}>
              <Group gap="sm">
                <TextLink to="/integrations/$id" params={{ id: integration.id }} size="sm">
                  {integration.name}
                </TextLink>
                <StatusBadge kind="health" status={integration.health} />
              </Group>
              <Text size="xs" c="dimmed">
                {channelOf(integration.type).label}
                {isForAll ? ", every agent sees it" : ""}
                {integration.enabled ? "" : ", switched off"}
              </Text>
            </Stack>
          </Group>
        );
      })}
    </Stack>
  );
}
