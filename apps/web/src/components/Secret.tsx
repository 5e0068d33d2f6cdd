// A secret that is shown this once: it can be copied, and the person is told that it does not come back.
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy, IconEyeOff } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./Secret.module.css";

export type SecretProps = {
  /** What it is: "Your new token". */
  title: string;
  value: string;
  /** What to do with it. */
  children?: ReactNode;
};

export function Secret({ title, value, children }: SecretProps) {
  const clipboard = useClipboard({ timeout: 2_000 });
  return (
    <Alert variant="outline" color="gray" title={title} icon={<IconEyeOff aria-hidden />}>
      <Stack gap="sm">
        <Text size="sm">This is shown once. Copy it now; it cannot be shown again.</Text>
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <code className={classes.value}>{value}</code>
          <Button
            variant="default"
            className={classes.copy}
            leftSection={clipboard.copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
            onClick={() => clipboard.copy(value)}
          >
            {clipboard.copied ? "Copied" : "Copy"}
          </Button>
        </Group>
        {children}
      </Stack>
    </Alert>
  );
}
