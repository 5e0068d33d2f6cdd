// All agents and how they are at this moment.
import { Group, Stack, Text } from "@mantine/core";
import { IconPlus, IconRobot } from "@tabler/icons-react";
import { $api, paging } from "../../api/client";
import { useMay } from "../../api/session";
import { AgentAvatar } from "../../components/AgentAvatar";
import { type Column, DataList } from "../../components/DataList";
import { EmptyState } from "../../components/EmptyState";
import { ButtonLink } from "../../components/Links";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { count } from "../../lib/format";
import { type AgentFacts, Spend, useAgentFacts } from "./AgentFacts";
import type { AgentView } from "./types";

export function AgentsScreen() {
  const mayCreate = useMay("agents", "administer");
  const pages = $api.useInfiniteQuery("get", "/api/v1/agents", { params: { query: { limit: 50 } } }, paging);
  const facts = useAgentFacts();
  const create = mayCreate && (
    <ButtonLink to="/agents/new" leftSection={<IconPlus size={16} aria-hidden />}>
      New agent
    </ButtonLink>
  );
  return (
    <Page title="Agents" action={create}>
      <DataList
        label="Agents"
        pages={pages}
        idOf={(agent) => agent.id}
        columns={columns(facts)}
        link={(agent) => ({ to: "/agents/$id", params: { id: agent.id } })}
        empty={
          <EmptyState icon={IconRobot} title="No agents yet" action={create}>
            An agent is somebody who works for you: it has a name, instructions, a model, a budget and a computer of its
            own.{" "}
            {mayCreate
              ? "Make the first one from a template; it takes two minutes."
              : "Ask an admin to make one, or to let you see one."}
          </EmptyState>
        }
      />
    </Page>
  );
}

function columns(facts: ReadonlyMap<string, AgentFacts>): Column<AgentView>[] {
  return [
    {
      header: "Agent",
      width: "minmax(0, 2fr)",
      cell: (agent) => (
        <Group gap="md" wrap="nowrap">
          <AgentAvatar name={agent.name} />
          <Stack gap={0} miw={0}>
            <Text size="sm" fw={500} truncate>
              {agent.name}
            </Text>
          </Stack>
        </Group>
      ),
    },
    {
      header: "State",
      width: "minmax(0, 1.4fr)",
      cell: (agent) => <State agent={agent} facts={facts.get(agent.id)} />,
    },
    {
      header: "Model",
      width: "minmax(0, 1.4fr)",
      wideOnly: true,
      cell: (agent) => (
        <Text size="xs" ff={agent.model === null ? undefined : "monospace"} c="dimmed" truncate>
          {agent.model ?? "Server default"}
        </Text>
      ),
    },
    {
      header: "Spent",
      width: "minmax(0, 1.4fr)",
      cell: (agent) => (
        <Spend spent={facts.get(agent.id)?.spend_today_micros ?? 0} budget={agent.budget_micros_per_day} />
      ),
    },
    {
      header: "Last active",
      width: "110px",
      cell: (agent) => (
        <Text size="xs" c="dimmed">
          <RelativeTime at={facts.get(agent.id)?.last_active_at ?? null} />
        </Text>
      ),
    },
  ];
}

function State({ agent, facts }: { agent: AgentView; facts: AgentFacts | undefined }) {
  const state = agent.enabled ? (facts?.state ?? "idle") : "disabled";
  const more = [
    facts && facts.running_jobs > 0 ? count(facts.running_jobs, "job") : "",
    facts && facts.queued_items > 0 ? `${facts.queued_items} queued` : "",
  ].filter((part) => part !== "");
  return (
    <Group gap="sm">
      <StatusBadge kind="agent" status={state} />
      {more.length > 0 && (
        <Text size="xs" c="dimmed">
          {more.join(", ")}
        </Text>
      )}
    </Group>
  );
}
