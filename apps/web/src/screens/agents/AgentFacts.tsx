// The live facts of an agent: what it does now and what it spent of its budget today. Fed by the overview, which
// the feed keeps fresh, so every place that shows them says the same.

import { Progress, Stack, Text } from "@mantine/core";
import { $api } from "../../api/client";
import type { OverviewAgentView } from "../../api/types";
import { money } from "../../lib/format";

export type AgentFacts = OverviewAgentView;

/** What the overview says of every agent, by id. */
export function useAgentFacts(): ReadonlyMap<string, AgentFacts> {
  const overview = $api.useQuery("get", "/api/v1/overview");
  return new Map(overview.data?.agents.map((agent) => [agent.agent_id, agent]));
}

export function Spend({ spent, budget }: { spent: number; budget: number | null }) {
  if (budget === null)
    return (
      <Text size="sm" ff="monospace">
        {money(spent)}{" "}
        <Text span size="xs" c="dimmed" ff="text">
          today, no limit
        </Text>
      </Text>
    );
  const share = budget === 0 ? 100 : Math.min(100, (spent / budget) * 100);
  return (
    <Stack gap={4} miw={120}>
      <Text size="sm" ff="monospace">
        {money(spent)}{" "}
        <Text span size="xs" c="dimmed" ff="text">
          of {money(budget)} today
        </Text>
      </Text>
      <Progress
        value={share}
        size="xs"
        color={share >= 100 ? "red" : share >= 80 ? "yellow" : "gray"}
        aria-label={`${Math.round(share)} percent of today's budget spent`}
      />
    </Stack>
  );
}
