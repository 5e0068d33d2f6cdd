// Every place where people reach agents, and whether each works.
import { Group, Stack, Text } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { $api, paging } from "../../api/client";
import { useMay } from "../../api/session";
import { type Column, DataList } from "../../components/DataList";
import { EmptyState } from "../../components/EmptyState";
import { ButtonLink } from "../../components/Links";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { count } from "../../lib/format";
import { channelOf } from "./channelTypes";
import type { IntegrationView } from "./types";

export function IntegrationsScreen() {
  const mayCreate = useMay("integrations", "administer");
  const pages = $api.useInfiniteQuery("get", "/api/v1/integrations", { params: { query: { limit: 50 } } }, paging);
  const create = mayCreate && (
    <ButtonLink to="/integrations/new" leftSection={<IconPlus size={16} aria-hidden />}>
      Connect
    </ButtonLink>
  );
  return (
    <Page title="Integrations" action={create}>
      <DataList
        label="Integrations"
        pages={pages}
        idOf={(integration) => integration.id}
        columns={COLUMNS}
        link={(integration) => ({ to: "/integrations/$id", params: { id: integration.id } })}
        empty={
          <EmptyState icon={IconPlugConnected} title="No integrations to see" action={create}>
            An integration is a place where people reach your agents, such as a Telegram bot. Several of one type are
            several integrations.
          </EmptyState>
        }
      />
    </Page>
  );
}

const COLUMNS: readonly Column<IntegrationView>[] = [
  {
    header: "Integration",
    width: "minmax(0, 1.6fr)",
    cell: (integration) => (
      <Stack gap={0} miw={0}>
        <Text size="sm" fw={500} truncate>
          {integration.name}
        </Text>
        <Text size="xs" c="dimmed">
          {channelOf(integration.type).label}
        </Text>
      </Stack>
    ),
  },
  {
    header: "Health",
    width: "minmax(0, 2.4fr)",
    cell: (integration) => (
      <Group gap="sm" wrap="nowrap">
        {integration.enabled ? (
          <StatusBadge kind="health" status={integration.health} />
        ) : (
          <StatusBadge kind="agent" status="disabled" />
        )}
        <Text size="xs" c="dimmed" lineClamp={1}>
          {integration.enabled ? integration.health_detail : "Nothing comes in"}
        </Text>
      </Group>
    ),
  },
  {
    header: "Agents",
    width: "120px",
    cell: (integration) => (
      <Text size="xs">
        {integration.agent_ids === null ? "Every agent" : count(integration.agent_ids.length, "agent")}
      </Text>
    ),
  },
  {
    header: "Changed",
    width: "110px",
    wideOnly: true,
    cell: (integration) => (
      <Text size="xs" c="dimmed">
        <RelativeTime at={integration.updated_at} />
      </Text>
    ),
  },
];
