// The frame of the pages before the login: a mark, a title and one form, in the middle of the window.
import { Paper, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import classes from "./EntryFrame.module.css";

export type EntryFrameProps = { title: string; hint?: ReactNode; footer?: ReactNode; children: ReactNode };

export function EntryFrame({ title, hint, footer, children }: EntryFrameProps) {
  useDocumentTitle(`${title} · Nitejar`);
  return (
    <main className={classes.frame}>
      <div className={classes.inner}>
        <div className={classes.brand}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          Nitejar
        </div>
        <Paper p="xl">
          <Stack gap="lg">
            <div>
              <Title order={1}>{title}</Title>
              {hint !== undefined && (
                <Text size="sm" c="dimmed">
                  {hint}
                </Text>
              )}
            </div>
            {children}
          </Stack>
        </Paper>
        {footer !== undefined && (
          <Text component="div" size="xs" c="dimmed" ta="center">
            {footer}
          </Text>
        )}
      </div>
    </main>
  );
}
