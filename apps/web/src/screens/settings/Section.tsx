// The frame of one part of the settings, and the rows its things are listed in. Rows wrap instead of being a table,
// because every list here is short and has to work on a phone.
import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Section.module.css";

export type SectionProps = {
  title: string;
  /** What this part is for, in a sentence. */
  description: ReactNode;
  action?: ReactNode;
  children: ReactNode;
};

export function Section({ title, description, action, children }: SectionProps) {
  return (
    <Stack component="section" gap="md" aria-label={title}>
      <Group justify="space-between" align="flex-start" gap="md">
        <Stack gap={0} maw={720}>
          <Title order={2}>{title}</Title>
          <Text component="div" size="sm" c="dimmed">
            {description}
          </Text>
        </Stack>
        {action}
      </Group>
      {children}
    </Stack>
  );
}

export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Paper component="ul" className={classes.rows} aria-label={label}>
      {children}
    </Paper>
  );
}

export type RowProps = {
  title: ReactNode;
  badges?: ReactNode;
  /** Facts about it, in small print. */
  facts: ReactNode;
  actions?: ReactNode;
  /** Below all of it: results, explanations. */
  children?: ReactNode;
};

export function Row({ title, badges, facts, actions, children }: RowProps) {
  return (
    <li className={classes.row}>
      <div className={classes.main}>
        <Stack gap={2} className={classes.text}>
          <Group gap="sm">
            <Text component="span" fw={600} className={classes.title}>
              {title}
            </Text>
            {badges}
          </Group>
          <Text component="div" size="sm" c="dimmed" className={classes.facts}>
            {facts}
          </Text>
        </Stack>
        {actions && (
          <Group gap="sm" className={classes.actions}>
            {actions}
          </Group>
        )}
      </div>
      {children}
    </li>
  );
}
