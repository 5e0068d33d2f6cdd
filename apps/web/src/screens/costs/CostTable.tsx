// Who or what cost how much, the dearest first, with the tokens behind it.

import { Paper, Stack, Text, Title } from "@mantine/core";
import type { CostGroup, CostRowView, CostsView } from "../../api/types";
import { TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import { Tokens } from "../../components/Tokens";
import { NumberTable } from "./NumberTable";

const NAMES: Record<CostGroup, string> = { agent: "Agent", model: "Model", conversation: "Conversation", none: "All" };
const NUMBERS = ["jobs", "model_calls", "input_tokens", "output_tokens", "cached_tokens"] as const;

export function CostTable({ costs, group }: { costs: CostsView; group: CostGroup }) {
  const items = [...costs.items].sort((one, other) => other.cost_micros - one.cost_micros);
  const sum = (name: (typeof NUMBERS)[number]) => items.reduce((total, item) => total + item[name], 0);
  const cells = (of: (name: (typeof NUMBERS)[number]) => number) =>
    NUMBERS.map((name) =>
      name.endsWith("tokens") ? <Tokens key={name} count={of(name)} /> : of(name).toLocaleString("en-US"),
    );
  return (
    <Paper component="section" p="lg" aria-label="In all">
      <Stack gap="md">
        <Title order={2}>In all</Title>
        {items.length === 0 ? (
          <Text>No model was asked in these days.</Text>
        ) : (
          <NumberTable
            label={`Costs by ${NAMES[group].toLowerCase()}`}
            columns={[NAMES[group], "Jobs", "Model calls", "Input", "Output", "From cache", "Cost"]}
            rows={items.map((item) => ({
              key: item.key ?? "none",
              cells: [
                <Name key="name" item={item} group={group} />,
                ...cells((name) => item[name]),
                <Money key="cost" micros={item.cost_micros} />,
              ],
            }))}
            sum={["All", ...cells(sum), <Money key="cost" micros={costs.total_micros} />]}
          />
        )}
      </Stack>
    </Paper>
  );
}

function Name({ item, group }: { item: CostRowView; group: CostGroup }) {
  if (item.key === null) return item.label;
  if (group === "agent")
    return (
      <TextLink to="/agents/$id" params={{ id: item.key }}>
        {item.label}
      </TextLink>
    );
  if (group === "conversation")
    return (
      <TextLink to="/inbox" search={{ conversation_id: item.key }}>
        {item.label}
      </TextLink>
    );
  return <span className="mono">{item.label}</span>;
}
