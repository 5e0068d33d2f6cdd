// The kinds of agents to start from, as cards of which one is chosen.
import { Group, Radio, SimpleGrid, Stack, Text } from "@mantine/core";
import classes from "./TemplateCards.module.css";
import { type AgentTemplate, BLANK, TEMPLATES, templateOf } from "./templates";

type Props = { chosen: string; onChoose: (template: AgentTemplate) => void };

export function TemplateCards({ chosen, onChoose }: Props) {
  return (
    <Radio.Group label="Start from" value={chosen} onChange={(key) => onChoose(templateOf(key))}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="md" mt={4}>
        {[...TEMPLATES, BLANK].map((template) => (
          <Radio.Card key={template.key} value={template.key} className={classes.card} p="md">
            <Group wrap="nowrap" align="flex-start" gap="md">
              <Radio.Indicator size="xs" mt={2} />
              <Stack gap={2}>
                <Text size="sm" fw={600}>
                  {template.title}
                </Text>
                <Text size="xs" c="dimmed">
                  {template.summary}
                </Text>
              </Stack>
            </Group>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}
