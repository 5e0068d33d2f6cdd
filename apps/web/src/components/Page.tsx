// The frame of every screen below the shell: one title, at most one primary action, and a place for filters.
import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import classes from "./Page.module.css";

export type PageProps = {
  title: string;
  /** Beside the title: a badge, an avatar. */
  badge?: ReactNode;
  /** One line below the title. */
  subtitle?: ReactNode;
  /** Above the title: a link back to the list. */
  back?: ReactNode;
  /** The one primary action; secondary ones go into a menu beside it. */
  action?: ReactNode;
  filters?: ReactNode;
  /** Lets the content fill the height of the window, for chats and virtual lists. */
  fill?: boolean;
  children: ReactNode;
};

export function Page({ title, badge, subtitle, back, action, filters, fill = false, children }: PageProps) {
  useDocumentTitle(`${title} · Nitejar`);
  return (
    <div className={classes.page} data-fill={fill || undefined}>
      <header className={classes.header}>
        {back}
        <Group justify="space-between" align="flex-start" gap="md" wrap="wrap">
          <Stack gap={4} className={classes.titles}>
            <Group gap="sm" wrap="wrap">
              <Title order={1} className={classes.title}>
                {title}
              </Title>
              {badge}
            </Group>
            {subtitle !== undefined && (
              <Text component="div" size="sm" c="dimmed">
                {subtitle}
              </Text>
            )}
          </Stack>
          {action}
        </Group>
        {filters}
      </header>
      <div className={classes.content}>{children}</div>
    </div>
  );
}
