// States of a sprite's files that can be gone back to. Going back ends what runs there, so it says so; the state
// before is kept by the server as a checkpoint of its own, which makes it a step that can be undone.
import { Button, Group, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconDeviceFloppy, IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../../api/client";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { CopyId } from "../../../components/CopyId";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorState } from "../../../components/ErrorState";
import { RelativeTime } from "../../../components/RelativeTime";
import { bytes } from "../../../lib/format";
import type { CheckpointView } from "../types";
import { useRefreshSprite } from "./useSprite";

type Props = { agentId: string; agentName: string; checkpoints: readonly CheckpointView[]; mayChange: boolean };

export function SpriteCheckpoints({ agentId, agentName, checkpoints, mayChange }: Props) {
  const [comment, setComment] = useState("");
  const refresh = useRefreshSprite(agentId);
  const create = $api.useMutation("post", "/api/v1/agents/{id}/sprite/checkpoints", { onSettled: refresh });
  const restore = $api.useMutation("post", "/api/v1/agents/{id}/sprite/checkpoints/{checkpoint}/restore", {
    onSettled: refresh,
  });
  const remove = $api.useMutation("delete", "/api/v1/agents/{id}/sprite/checkpoints/{checkpoint}", {
    onSettled: refresh,
  });

  return (
    <Stack gap="lg">
      {mayChange && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const note = comment.trim();
            create.mutate(
              { params: { path: { id: agentId } }, body: { comment: note === "" ? null : note } },
              { onSuccess: () => setComment("") },
            );
          }}
        >
          <Group align="flex-end" gap="sm">
            <TextInput
              label="Note"
              placeholder="Before the upgrade"
              maxLength={500}
              flex="1 1 240px"
              value={comment}
              onChange={(event) => setComment(event.currentTarget.value)}
            />
            <Button type="submit" loading={create.isPending} leftSection={<IconDeviceFloppy size={16} aria-hidden />}>
              Keep the files as they are now
            </Button>
          </Group>
        </form>
      )}
      {create.isError && <ErrorState error={create.error} title="The checkpoint could not be made" />}
      {checkpoints.length === 0 ? (
        <EmptyState icon={IconHistory} title="No checkpoints yet">
          A checkpoint keeps all files of {agentName}'s sprite, so that you can go back to them after an experiment.
        </EmptyState>
      ) : (
        <Stack gap="sm">
          {checkpoints.map((checkpoint) => {
            const params = { path: { id: agentId, checkpoint: checkpoint.id } };
            return (
              <Paper key={checkpoint.id} p="md">
                <Group justify="space-between" gap="md">
                  <Stack gap="xs">
                    <Group gap="sm">
                      <Text size="sm" fw={500}>
                        {checkpoint.comment ?? "Without a note"}
                      </Text>
                      {checkpoint.automatic && (
                        <Text size="xs" c="dimmed">
                          automatic
                        </Text>
                      )}
                    </Group>
                    <Group gap="md">
                      <Text size="xs" c="dimmed">
                        <RelativeTime at={checkpoint.created_at} />
                      </Text>
                      {checkpoint.bytes !== null && (
                        <Text size="xs" c="dimmed">
                          {bytes(checkpoint.bytes)}
                        </Text>
                      )}
                      <CopyId id={checkpoint.id} of="checkpoint" />
                    </Group>
                  </Stack>
                  {mayChange && (
                    <Group gap="sm">
                      <ConfirmButton
                        title="Put the files back?"
                        message="Everything that runs in the sprite ends and its files become those of this checkpoint. The files of now are kept as an automatic checkpoint."
                        confirm="Put files back"
                        onConfirm={() => restore.mutateAsync({ params })}
                      >
                        Restore
                      </ConfirmButton>
                      <ConfirmButton
                        variant="subtle"
                        title="Delete this checkpoint?"
                        message="Its files cannot be gone back to any more. The sprite itself stays as it is."
                        confirm="Delete checkpoint"
                        onConfirm={() => remove.mutateAsync({ params })}
                      >
                        Delete
                      </ConfirmButton>
                    </Group>
                  )}
                </Group>
              </Paper>
            );
          })}
        </Stack>
      )}
    </Stack>
  );
}
