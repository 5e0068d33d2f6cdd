// Stops a job: at once while nobody works on it, else at its next step.
import { Button } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { $api } from "../../api/client";
import { ConfirmButton } from "../../components/ConfirmButton";
import type { JobDetail } from "./job";

export function CancelJob({ job }: { job: JobDetail }) {
  const cache = useQueryClient();
  const cancel = $api.useMutation("post", "/api/v1/jobs/{id}/cancel");
  if (job.cancel_requested_at !== null) {
    return (
      <Button variant="default" disabled>
        Stopping at its next step
      </Button>
    );
  }
  return (
    <ConfirmButton
      title="Cancel this job?"
      message="What it did so far stays done. It stops at its next step, and the person who asked is told."
      confirm="Cancel job"
      leftSection={<IconPlayerStop size={14} aria-hidden />}
      onConfirm={async () => {
        await cancel.mutateAsync({ params: { path: { id: job.id } } });
        await cache.invalidateQueries({ queryKey: ["get", "/api/v1/jobs/{id}"] });
      }}
    >
      Cancel
    </ConfirmButton>
  );
}
