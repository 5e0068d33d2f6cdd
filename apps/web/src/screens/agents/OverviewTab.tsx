// An agent at a glance: who it is, how it is, what it does now and where it is reached.
import { Group, SimpleGrid, Stack, Switch, Text, Title } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { $api } from "../../api/client";
import { useOpenTitles } from "../../api/names";
import { useMay } from "../../api/session";
import { CopyId } from "../../components/CopyId";
import { EmptyState } from "../../components/EmptyState";
import { ErrorState } from "../../components/ErrorState";
import { KeyValue } from "../../components/KeyValue";
import { ButtonLink, TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import { RelativeTime } from "../../components/RelativeTime";
import { ListSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import { Spend, useAgentFacts } from "./AgentFacts";
import { AgentIntegrations } from "./AgentIntegrations";
import type { AgentView } from "./types";
import { useSaveAgent } from "./useSaveAgent";

export function OverviewTab({ agent }: { agent: AgentView }) {
  const mayChange = useMay("agents", "administer") && agent.archived_at === null;
  const facts = useAgentFacts().get(agent.id);
  const { save, problem, isSaving } = useSaveAgent(agent.id);
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl" verticalSpacing="xl">
      <Stack gap="xl">
        <Section title="Identity">
          <KeyValue
            items={[
              { label: "Id", value: <CopyId id={agent.id} of="agent" /> },
              {
                label: "Model",
                value: agent.model === null ? "The server's default" : <span className="mono">{agent.model}</span>,
              },
              { label: "Replies", value: agent.reply_policy === "auto" ? "Sent at once" : "Wait for approval" },
              { label: "Messages while it works", value: STEERING[agent.steering] },
              { label: "Tools", value: toolsOf(agent) },
              { label: "Made", value: <RelativeTime at={agent.created_at} /> },
              { label: "Changed", value: <RelativeTime at={agent.updated_at} /> },
            ]}
          />
          {mayChange && (
            <Switch
              label="Takes new work"
              description="Switched off it sees nothing new; what runs goes on."
              checked={agent.enabled}
              disabled={isSaving}
              onChange={(event) => save({ enabled: event.currentTarget.checked })}
            />
          )}
          {problem !== null && <ErrorState error={problem} title={`${agent.name} was not changed`} />}
        </Section>
        <Section title="Today">
          <Spend spent={facts?.spend_today_micros ?? 0} budget={agent.budget_micros_per_day} />
          <Text size="xs" c="dimmed">
            The day is that of UTC.{" "}
            <TextLink to="/costs" underline="always">
              All costs
            </TextLink>
          </Text>
        </Section>
        <Section title="Where it is reached">
          <AgentIntegrations agent={agent} />
        </Section>
      </Stack>
      <Section title="Now">
        <RunningJobs agent={agent} queued={facts?.queued_items ?? 0} />
      </Section>
    </SimpleGrid>
  );
}

const STEERING: Record<AgentView["steering"], string> = {
  steer: "Steer the running job",
  queue: "Wait, each for a job of its own",
  merge: "Wait and become one job",
};

function toolsOf(agent: AgentView): React.ReactNode {
  if (agent.tools === null) return "All";
  return agent.tools.length === 0 ? "None" : <span className="mono">{agent.tools.join(", ")}</span>;
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Stack gap="md" component="section">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

/** What it works on, and what waits for somebody. */
function RunningJobs({ agent, queued }: { agent: AgentView; queued: number }) {
  const mayChat = useMay("work", "operate") && agent.enabled;
  const titles = useOpenTitles();
  const of = (status: "running" | "waiting" | "queued") => ({
    params: { query: { agent_id: agent.id, status, limit: 20 } },
  });
  const lists = [
    $api.useQuery("get", "/api/v1/jobs", of("running")),
    $api.useQuery("get", "/api/v1/jobs", of("waiting")),
    $api.useQuery("get", "/api/v1/jobs", of("queued")),
  ];
  const failed = lists.find((list) => list.isError);
  const problem = failed && <ErrorState error={failed.error} title="Its jobs could not be listed" />;
  if (lists.some((list) => list.data === undefined)) return problem ?? <ListSkeleton rows={3} />;
  const jobs = lists.flatMap((list) => list.data?.items ?? []);
  if (jobs.length === 0 && problem === undefined)
    return (
      <EmptyState
        icon={IconPlayerPlay}
        title={`${agent.name} has nothing to do`}
        action={
          mayChat && (
            <ButtonLink to="/chat" search={{ agent_id: agent.id }} variant="default">
              Chat with {agent.name}
            </ButtonLink>
          )
        }
      >
        Jobs that run or wait will be listed here while they last.
      </EmptyState>
    );
  return (
    <Stack gap="sm">
      {problem}
      {jobs.map((job) => (
        <Group key={job.id} justify="space-between" gap="md">
          <Group gap="md">
            <StatusBadge kind="job" status={job.status} />
            <TextLink to="/jobs/$id" params={{ id: job.id }} size="sm">
              {titles.get(job.work_item_id) ?? "Job"}
            </TextLink>
            <Text size="xs" c="dimmed">
              <RelativeTime at={job.created_at} />
            </Text>
          </Group>
          <Money micros={job.cost_micros} />
        </Group>
      ))}
      {queued > 0 && (
        <Text size="xs" c="dimmed">
          {queued} more messages wait in its queues.
        </Text>
      )}
    </Stack>
  );
}
