// One file of a sprite, to read. Text is shown as it is; what is not text is only described, because bytes that
// an agent made are nothing a browser should try to render.
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconArrowLeft, IconFile, IconFileUnknown } from "@tabler/icons-react";
import { $api } from "../../../api/client";
import { CodeBlock } from "../../../components/CodeBlock";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorState } from "../../../components/ErrorState";
import { ListSkeleton } from "../../../components/Skeletons";
import { bytes } from "../../../lib/format";

type Props = { agentId: string; path: string; onClose: () => void };

export function FileView({ agentId, path, onClose }: Props) {
  const file = $api.useQuery("get", "/api/v1/agents/{id}/sprite/file", {
    params: { path: { id: agentId }, query: { path } },
  });
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="md">
        <Button variant="default" size="xs" leftSection={<IconArrowLeft size={14} aria-hidden />} onClick={onClose}>
          Back to the directory
        </Button>
        {file.data && (
          <Text size="xs" c="dimmed">
            {bytes(file.data.size)}
          </Text>
        )}
      </Group>
      <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {path}
      </Text>
      {file.isPending && <ListSkeleton />}
      {file.isError && <ErrorState error={file.error} title="This file could not be read" />}
      {file.data &&
        (file.data.text === null ? (
          <EmptyState icon={IconFileUnknown} title="This file is not text">
            Look at it in the terminal, with file or xxd.
          </EmptyState>
        ) : file.data.text === "" ? (
          <EmptyState icon={IconFile} title="This file is empty">
            There is nothing in it yet.
          </EmptyState>
        ) : (
          <CodeBlock code={file.data.text} language={languageOf(path)} />
        ))}
      {file.data?.truncated && (
        <Text size="xs" c="dimmed">
          Only the beginning is shown; the file is longer.
        </Text>
      )}
    </Stack>
  );
}

function languageOf(path: string): string | undefined {
  return /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
}
