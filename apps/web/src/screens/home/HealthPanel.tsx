// Whether the parts that agents depend on work: channels, sandboxes, the queue, the model.
import { Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { OverviewView } from "../../api/types";
import { KeyValue } from "../../components/KeyValue";
import { TextLink } from "../../components/Links";
import { StatusBadge } from "../../components/StatusBadge";
import { count, duration } from "../../lib/format";
import classes from "./Home.module.css";

const TIERS: Record<string, string> = {
  namespaces: "namespaces: full isolation",
  landlock: "landlock: files and network are walled off",
  plain: "plain: no isolation",
};

export function HealthPanel({ overview }: { overview: OverviewView }) {
  return (
    <section aria-labelledby="health">
      <Title order={2} id="health" mb="sm">
        Health
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        <Paper p="md">
          <Title order={3} mb="sm">
            Channels
          </Title>
          <Channels integrations={overview.integrations} />
        </Paper>
        <Paper p="md">
          <Title order={3} mb="sm">
            Machine
          </Title>
          <KeyValue items={facts(overview)} />
        </Paper>
      </SimpleGrid>
    </section>
  );
}

function Channels({ integrations }: { integrations: OverviewView["integrations"] }) {
  if (integrations.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No channel is connected. Agents can be reached in the chat.
      </Text>
    );
  }
  return (
    <Stack gap="sm">
      {integrations.map((one) => (
        <div key={one.id} className={classes.channel}>
          <TextLink to="/integrations/$id" params={{ id: one.id }} size="sm" className={classes.grow}>
            {one.name}
          </TextLink>
          {one.enabled ? (
            <StatusBadge kind="health" status={one.health} />
          ) : (
            <StatusBadge kind="agent" status="disabled" />
          )}
          {one.health_detail !== null && (
            <Text size="xs" c="dimmed" className={classes.whole}>
              {one.health_detail}
            </Text>
          )}
        </div>
      ))}
    </Stack>
  );
}

function facts(overview: OverviewView) {
  const { sandbox, queue } = overview;
  const tier = sandbox.tier === null ? "at a Sprites service" : (TIERS[sandbox.tier] ?? sandbox.tier);
  const wait = queue.oldest_wait_seconds;
  return [
    { label: "Default model", value: <span className="mono">{overview.default_model}</span> },
    { label: "Sandboxes", value: tier },
    ...(sandbox.missing.length > 0 ? [{ label: "Missing", value: sandbox.missing.join("; ") }] : []),
    {
      label: "Queue",
      value:
        queue.queued_items === 0
          ? "empty"
          : `${count(queue.queued_items, "item")}${wait === null ? "" : `, the oldest waits ${duration(wait * 1_000)}`}`,
    },
    { label: "Effects on their way", value: String(queue.pending_effects) },
  ];
}
