// What runs in a sprite beside jobs: commands that agents left running, services that start with it, and the
// shells of jobs. Output is read when somebody opens it, and stopping asks first.
import { Button, Collapse, Group, Stack, Text, Title } from "@mantine/core";
import {
  IconChevronDown,
  IconChevronRight,
  IconPlayerStop,
  IconRefresh,
  IconStack2,
  IconTerminal2,
} from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../../api/client";
import { AnsiOutput } from "../../../components/AnsiOutput";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { CopyId } from "../../../components/CopyId";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorState } from "../../../components/ErrorState";
import { TextLink } from "../../../components/Links";
import { RelativeTime } from "../../../components/RelativeTime";
import { StatusBadge } from "../../../components/StatusBadge";
import type { ProcessView, SpriteView } from "../types";
import { useRefreshSprite } from "./useSprite";

type Props = { agentId: string; sprite: SpriteView; mayStop: boolean };

export function SpriteProcesses({ agentId, sprite, mayStop }: Props) {
  return (
    <Stack gap="xl">
      <Section title="Background processes">
        {sprite.processes.length === 0 ? (
          <EmptyState icon={IconStack2} title="Nothing was left running">
            A server, a watcher or a long build that the agent starts in the background will be listed here.
          </EmptyState>
        ) : (
          <Stack gap="sm">
            {sprite.processes.map((process) => (
              <Process key={process.id} agentId={agentId} process={process} mayStop={mayStop} />
            ))}
          </Stack>
        )}
      </Section>
      {sprite.services.length > 0 && (
        <Section title="Services">
          <Stack gap="sm">
            {sprite.services.map((service) => (
              <Group key={service.name} gap="md">
                <StatusBadge status={service.status} kind="service" />
                <Text size="sm" fw={500}>
                  {service.name}
                </Text>
                <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
                  {service.command.join(" ")}
                </Text>
                {service.restarts > 0 && <Text size="xs">{service.restarts} restarts</Text>}
                {service.error && (
                  <Text size="xs" c="var(--mantine-color-error)">
                    {service.error}
                  </Text>
                )}
              </Group>
            ))}
          </Stack>
        </Section>
      )}
      <Section title="Shells of jobs">
        <Sessions sprite={sprite} />
      </Section>
    </Stack>
  );
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Process({ agentId, process, mayStop }: { agentId: string; process: ProcessView; mayStop: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const refresh = useRefreshSprite(agentId);
  const stop = $api.useMutation("post", "/api/v1/agents/{id}/sprite/processes/{process}/stop", { onSettled: refresh });
  const path = { id: agentId, process: process.id };
  return (
    <Stack
      gap="sm"
      p="md"
      bd="1px solid var(--mantine-color-default-border)"
      style={{ borderRadius: "var(--mantine-radius-sm)" }}
    >
      <Group justify="space-between" gap="md" wrap="wrap">
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          aria-expanded={isOpen}
          leftSection={isOpen ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
          onClick={() => setOpen(!isOpen)}
          ff="monospace"
          maw="100%"
        >
          {process.command}
        </Button>
        <Group gap="md">
          <StatusBadge status={process.status} kind="process" />
          {process.exit_code !== null && <Text size="xs">exit {process.exit_code}</Text>}
          <Text size="xs" c="dimmed">
            <RelativeTime at={process.created_at} />
          </Text>
          {mayStop && process.status === "running" && (
            <ConfirmButton
              size="xs"
              leftSection={<IconPlayerStop size={14} aria-hidden />}
              title="Stop this process?"
              message={`It ends at once, and what it has not saved is lost: ${process.command}`}
              confirm="Stop process"
              onConfirm={() => stop.mutateAsync({ params: { path } })}
            >
              Stop
            </ConfirmButton>
          )}
        </Group>
      </Group>
      <Collapse expanded={isOpen}>{isOpen && <Output agentId={agentId} process={process.id} />}</Collapse>
    </Stack>
  );
}

function Output({ agentId, process }: { agentId: string; process: string }) {
  const output = $api.useQuery("get", "/api/v1/agents/{id}/sprite/processes/{process}/output", {
    params: { path: { id: agentId, process } },
  });
  return (
    <Stack gap="sm">
      {output.isError && <ErrorState error={output.error} title="The output could not be read" />}
      {output.data && output.data.output === "" && <Text size="sm">It has put nothing out yet.</Text>}
      {output.data && output.data.output !== "" && <AnsiOutput text={output.data.output} />}
      <Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={14} aria-hidden />}
          loading={output.isFetching}
          onClick={() => output.refetch()}
        >
          Read again
        </Button>
      </Group>
    </Stack>
  );
}

function Sessions({ sprite }: { sprite: SpriteView }) {
  if (sprite.sessions.length === 0)
    return (
      <EmptyState icon={IconTerminal2} title="No job used it yet">
        Each job that runs commands has a shell of its own for as long as it lasts.
      </EmptyState>
    );
  return (
    <Stack gap="sm">
      {sprite.sessions.map((session) => (
        <Group key={session.id} gap="md">
          <StatusBadge kind="session" status={session.status} />
          <TextLink to="/jobs/$id" params={{ id: session.job_id }} size="sm">
            Open the job
          </TextLink>
          <Text size="xs" c="dimmed">
            <RelativeTime at={session.created_at} />
          </Text>
          <CopyId id={session.id} of="shell" />
        </Group>
      ))}
    </Stack>
  );
}
