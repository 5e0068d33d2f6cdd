// A place that holds nothing yet says what it will hold, and offers the one next step.
import { Stack, Text } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./EmptyState.module.css";

export type EmptyStateProps = {
  icon: Icon;
  title: string;
  /** What this place will hold. */
  children: ReactNode;
  /** The next step. */
  action?: ReactNode;
};

export function EmptyState({ icon: Shown, title, children, action }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" className={classes.empty}>
      <Shown size={28} stroke={1.5} aria-hidden />
      <Text component="h2" fw={600}>
        {title}
      </Text>
      <Text component="div" size="sm" c="dimmed" maw={480} ta="center">
        {children}
      </Text>
      {action}
    </Stack>
  );
}
