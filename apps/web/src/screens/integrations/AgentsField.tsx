// Which agents see what comes in on an integration: all of them, those made later included, or these.
import { MultiSelect, Radio, Stack, Text } from "@mantine/core";
import { $api } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";

type Props = {
  /** null: all. */
  value: string[] | null;
  onChange: (agents: string[] | null) => void;
  error?: React.ReactNode;
};

export function AgentsField({ value, onChange, error }: Props) {
  const agents = $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 100 } } });
  const items = agents.data?.items ?? [];
  return (
    <Radio.Group
      label="Agents that see it"
      description="Each of them decides for itself whether a message is for it."
      error={error}
      value={value === null ? "all" : "some"}
      onChange={(choice) => onChange(choice === "all" ? null : [])}
    >
      <Stack gap="sm" mt="xs">
        <Radio value="all" label="Every agent" description="Also those that are made later." />
        <Radio value="some" label="Only these" />
        {value !== null && (
          <MultiSelect
            aria-label="Agents that see it"
            placeholder={value.length === 0 ? "Choose agents" : undefined}
            searchable
            clearable
            nothingFoundMessage="No agent of that name"
            disabled={!agents.isSuccess}
            data={items.map((agent) => ({ value: agent.id, label: agent.name }))}
            value={value}
            onChange={onChange}
          />
        )}
        {value?.length === 0 && (
          <Text size="xs" c="dimmed">
            With nobody chosen messages come in and nobody answers.
          </Text>
        )}
        {agents.isSuccess && items.length === 0 && (
          <Text size="xs" c="dimmed">
            There are no agents yet.{" "}
            <TextLink to="/agents/new" underline="always">
              Make one
            </TextLink>
          </Text>
        )}
        {agents.isError && <ErrorState error={agents.error} title="The agents could not be listed" />}
      </Stack>
    </Radio.Group>
  );
}
