// Which tools an agent may use. "All" means also those that later versions bring; a list means these and no more.
import { Checkbox, Group, Radio, Stack, Text } from "@mantine/core";
import { $api } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import { ListSkeleton } from "../../components/Skeletons";

type Props = {
  value: string[] | null;
  onChange: (tools: string[] | null) => void;
  error?: React.ReactNode;
};

export function ToolPicker({ value, onChange, error }: Props) {
  const tools = $api.useQuery("get", "/api/v1/tools");
  const known = tools.data?.items ?? [];
  return (
    <Radio.Group
      label="Tools"
      error={error}
      value={value === null ? "all" : "some"}
      onChange={(choice) => onChange(choice === "all" ? null : known.map((tool) => tool.name))}
    >
      <Stack gap="sm" mt={4}>
        <Radio value="all" label="All tools" description="Also those that later versions bring." />
        <Radio value="some" disabled={!tools.isSuccess} label="Only these" />
        {value !== null && tools.isPending && <ListSkeleton />}
        {tools.isError && <ErrorState error={tools.error} title="The tools could not be listed" />}
        {value !== null && tools.isSuccess && (
          <Checkbox.Group value={value} onChange={onChange} aria-label="Tools it may use" pl={{ base: 0, sm: "xl" }}>
            <Stack gap="md">
              {known.map((tool) => (
                <Checkbox
                  key={tool.name}
                  value={tool.name}
                  label={
                    <Group gap="sm">
                      <Text span size="sm" ff="monospace">
                        {tool.name}
                      </Text>
                      {tool.read_only && (
                        <Text span size="xs" c="dimmed">
                          reads only
                        </Text>
                      )}
                    </Group>
                  }
                  description={tool.description}
                />
              ))}
              {value.length === 0 && (
                <Text size="xs" c="dimmed">
                  Without any tool it can only talk.
                </Text>
              )}
            </Stack>
          </Checkbox.Group>
        )}
      </Stack>
    </Radio.Group>
  );
}
