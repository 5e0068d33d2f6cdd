// A chart that answers one question, with the table behind it one click away: a chart shows the shape, the table the
// numbers, and who cannot see the chart reads the table.
import { Button, Group, Paper, Stack, Title } from "@mantine/core";
import { IconChartBar, IconTable } from "@tabler/icons-react";
import { type ReactNode, Suspense, useState } from "react";
import { CardSkeleton } from "../../components/Skeletons";

export type FigureProps = {
  /** The question it answers. */
  title: string;
  chart: ReactNode;
  table: ReactNode;
  /** Nothing to draw: said instead of an empty chart. */
  empty: string | null;
};

export function Figure({ title, chart, table, empty }: FigureProps) {
  const [isTable, setTable] = useState(false);
  return (
    <Paper component="section" p="lg" aria-label={title}>
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={2}>{title}</Title>
          {empty === null && (
            <Button
              variant="subtle"
              color="gray"
              leftSection={isTable ? <IconChartBar size={14} aria-hidden /> : <IconTable size={14} aria-hidden />}
              onClick={() => setTable(!isTable)}
              aria-pressed={isTable}
              aria-label={`${title} as a table`}
            >
              {isTable ? "Chart" : "Table"}
            </Button>
          )}
        </Group>
        {empty ?? (isTable ? table : <Suspense fallback={<CardSkeleton height={260} />}>{chart}</Suspense>)}
      </Stack>
    </Paper>
  );
}
