// What failed, why, what to do, and the request id with which the server's log can be searched.
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { toProblem } from "../api/client";
import { CopyId } from "./CopyId";

export type ErrorStateProps = {
  error: unknown;
  /** What could not be done: "The jobs could not be loaded". */
  title?: string;
  retry?: () => void;
};

export function ErrorState({ error, title, retry }: ErrorStateProps) {
  const problem = toProblem(error);
  return (
    <Alert
      variant="outline"
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={title ?? problem.title}
      role="alert"
    >
      <Stack gap="sm">
        <Text size="sm">{sentence(problem.detail)}</Text>
        {problem.errors.length > 1 && (
          <ul>
            {problem.errors.map((one) => (
              <li key={one.field}>
                <code>{one.field}</code> {one.message}
              </li>
            ))}
          </ul>
        )}
        {problem.retryAfterSeconds !== null && <Text size="sm">Try again in {problem.retryAfterSeconds} s.</Text>}
        <Group gap="md">
          {retry !== undefined && (
            <Button variant="default" onClick={retry}>
              Try again
            </Button>
          )}
          {problem.requestId !== null && (
            <Group gap={4}>
              <Text size="xs" c="dimmed">
                Request
              </Text>
              <CopyId id={problem.requestId} of="request" whole />
            </Group>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}

/** The server's details begin in lower case, because they are also parts of sentences. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
