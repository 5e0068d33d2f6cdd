// Tries again what a job was for. The old job stays as it is; the new one is where the reader goes next.
import { Button, Checkbox, Group, Modal, Radio, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconRefresh } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { $api } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import type { JobDetail } from "./job";

type From = "start" | "last_turn";

export function RetryJob({ job }: { job: JobDetail }) {
  const [opened, dialog] = useDisclosure(false);
  return (
    <>
      <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={dialog.open}>
        Retry
      </Button>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title="Try this job again"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <RetryForm job={job} close={dialog.close} />
      </Modal>
    </>
  );
}

function RetryForm({ job, close }: { job: JobDetail; close: () => void }) {
  const wasAnswered = job.effects.some((effect) => effect.slot === "reply" && effect.status !== "cancelled");
  const [from, setFrom] = useState<From>(job.status === "completed" ? "start" : "last_turn");
  const [replyAgain, setReplyAgain] = useState(false);
  const navigate = useNavigate();
  const retry = $api.useMutation("post", "/api/v1/jobs/{id}/retry");
  const submit = async () => {
    const made = await retry.mutateAsync({ params: { path: { id: job.id } }, body: { from, reply_again: replyAgain } });
    close();
    await navigate({ to: "/jobs/$id", params: { id: made.id } });
  };
  return (
    <Stack gap="md">
      <Radio.Group label="Begin" value={from} onChange={(value) => setFrom(value === "start" ? "start" : "last_turn")}>
        <Stack gap="sm" mt="xs">
          <Radio
            value="start"
            label="At the start"
            description="With the message that came in, as if nothing had been done."
          />
          <Radio
            value="last_turn"
            label="After the last complete turn"
            description="It keeps what it read and did, and goes on from there."
          />
        </Stack>
      </Radio.Group>
      {wasAnswered && (
        <Checkbox
          label="Answer a second time"
          description="An answer of this job was sent, or may have been. Without this the server refuses to try again."
          checked={replyAgain}
          onChange={(event) => setReplyAgain(event.currentTarget.checked)}
        />
      )}
      {retry.error !== null && <ErrorState error={retry.error} title="The job was not tried again" />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Close
        </Button>
        <Button loading={retry.isPending} onClick={() => void submit().catch(() => undefined)}>
          Try again
        </Button>
      </Group>
    </Stack>
  );
}
