// What it costs and what one gets for it: money per day, by whom, how jobs end and how long people wait. Days and
// grouping are in the URL; behind every chart stands a table with the same numbers.

import { Group, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { $api } from "../../api/client";
import type { CostGroup } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { Page } from "../../components/Page";
import { CardSkeleton } from "../../components/Skeletons";
import { CostPerDay } from "./CostPerDay";
import { CostTable } from "./CostTable";
import { Outcomes } from "./Outcomes";
import { instants, isDay, lastDays, PRESETS, presetOf, type Range, rangeFrom } from "./range";

const GROUPS: readonly { value: Exclude<CostGroup, "none">; label: string }[] = [
  { value: "agent", label: "By agent" },
  { value: "model", label: "By model" },
  { value: "conversation", label: "By conversation" },
];

export function CostsScreen() {
  const search = useSearch({ from: "/shell/costs" });
  const navigate = useNavigate({ from: "/costs" });
  const range = rangeFrom(search, Date.now());
  const group = GROUPS.find(({ value }) => value === search.group)?.value ?? "agent";
  const query = { ...instants(range), group };
  const totals = $api.useQuery("get", "/api/v1/costs", { params: { query } });
  const daily = $api.useQuery("get", "/api/v1/costs", { params: { query: { ...query, daily: true } } });
  const outcomes = $api.useQuery("get", "/api/v1/costs/outcomes", { params: { query: instants(range) } });
  const failed = [totals, daily, outcomes].filter((asked) => asked.isError);
  return (
    <Page
      title="Costs"
      subtitle="Days are UTC days, as budgets are counted."
      filters={
        <Group gap="sm" align="flex-end">
          <RangeFilter range={range} onChange={(next) => void navigate({ search: { ...search, ...next } })} />
          <Select
            size="xs"
            w={170}
            aria-label="Grouped"
            data={GROUPS}
            value={group}
            allowDeselect={false}
            onChange={(value) => void navigate({ search: { ...search, group: value ?? undefined } })}
          />
        </Group>
      }
    >
      <Stack gap="xl">
        {failed.length > 0 && (
          <ErrorState
            title="The costs could not be loaded"
            error={failed[0]?.error}
            retry={() => void Promise.all(failed.map((asked) => asked.refetch()))}
          />
        )}
        {daily.data ? (
          <CostPerDay items={daily.data.items} range={range} />
        ) : (
          daily.isPending && <CardSkeleton height={320} />
        )}
        {totals.data ? (
          <CostTable costs={totals.data} group={group} />
        ) : (
          totals.isPending && <CardSkeleton height={200} />
        )}
        {outcomes.data ? (
          <Outcomes items={outcomes.data.items} range={range} />
        ) : (
          outcomes.isPending && <CardSkeleton height={320} />
        )}
      </Stack>
    </Page>
  );
}

function RangeFilter({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const change = (part: Partial<Range>) => {
    const next = { ...range, ...part };
    if (isDay(next.from) && isDay(next.to) && next.from <= next.to) onChange(next);
  };
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label="Days"
        data={PRESETS.map(({ days, label }) => ({ value: String(days), label }))}
        value={String(presetOf(range, Date.now()) ?? "")}
        onChange={(days) => onChange(lastDays(Number(days), Date.now()))}
      />
      <TextInput
        size="xs"
        type="date"
        aria-label="From"
        value={range.from}
        max={range.to}
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
      <TextInput
        size="xs"
        type="date"
        aria-label="To"
        value={range.to}
        min={range.from}
        onChange={(event) => change({ to: event.currentTarget.value })}
      />
    </>
  );
}
