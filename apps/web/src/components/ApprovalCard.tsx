// A question to people that holds an effect or a job: what is asked, what exactly would be done and where, who asked,
// and how long it stays open. The two answers are large enough for a thumb and always in reach.
import { Button, Group, Paper, Text, Textarea } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { useId, useState } from "react";
import { $api, toProblem } from "../api/client";
import type { ApprovalView } from "../api/types";
import { useRefreshEffects } from "../live/useRefreshEffects";
import classes from "./ApprovalCard.module.css";
import { ApprovalDetail } from "./ApprovalDetail";
import { Countdown } from "./Countdown";
import { ErrorState } from "./ErrorState";
import { notifyDone } from "./notify";
import { RelativeTime } from "./RelativeTime";
import { StatusBadge } from "./StatusBadge";

export type ApprovalCardProps = {
  approval: ApprovalView;
  /** Leave out the links to where it belongs, on the screens of just that. */
  isEmbedded?: boolean;
};

export function ApprovalCard({ approval, isEmbedded = false }: ApprovalCardProps) {
  const title = useId();
  const isOpen = approval.status === "pending";
  return (
    <Paper component="article" className={classes.card} aria-labelledby={title} data-open={isOpen || undefined}>
      <Group gap="sm" justify="space-between">
        <StatusBadge kind="approval" status={approval.status} />
        {isOpen ? (
          <Countdown expiresAt={approval.expires_at} />
        ) : (
          <Text component="span" size="sm" c="dimmed">
            <RelativeTime at={approval.decided_at} empty="" />
          </Text>
        )}
      </Group>
      <Text component={isEmbedded ? "h2" : "h3"} id={title} className={classes.question}>
        {approval.question}
      </Text>
      <ApprovalDetail approval={approval} isEmbedded={isEmbedded} />
      {isOpen ? (
        approval.may_decide ? (
          <Decision approval={approval} />
        ) : (
          <NotYours approval={approval} />
        )
      ) : (
        <Outcome approval={approval} />
      )}
    </Paper>
  );
}

function Decision({ approval }: { approval: ApprovalView }) {
  const [note, setNote] = useState("");
  const approve = $api.useMutation("post", "/api/v1/approvals/{id}/approve");
  const deny = $api.useMutation("post", "/api/v1/approvals/{id}/deny");
  const refresh = useRefreshEffects();
  const decide = async (way: typeof approve, done: string) => {
    const text = note.trim();
    try {
      await way.mutateAsync({ params: { path: { id: approval.id } }, body: text === "" ? {} : { note: text } });
      notifyDone(done);
    } catch (error) {
      // Shown below; when somebody else was faster, the card has to say what they decided.
      if (toProblem(error).status !== 409) return;
    }
    await refresh();
  };
  const error = approve.error ?? deny.error;
  const isBusy = approve.isPending || deny.isPending;
  return (
    <div className={classes.decision}>
      <Textarea
        aria-label="Note"
        placeholder="Note for the agent and the log (optional)"
        autosize
        minRows={1}
        maxRows={6}
        maxLength={2000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {error !== null && <ErrorState title="The answer was not taken" error={error} />}
      <div className={classes.answers}>
        <Button
          size="md"
          leftSection={<IconCheck size={16} aria-hidden />}
          loading={approve.isPending}
          disabled={isBusy}
          onClick={() => void decide(approve, "Approved.")}
        >
          Approve
        </Button>
        <Button
          size="md"
          variant="default"
          leftSection={<IconX size={16} aria-hidden />}
          loading={deny.isPending}
          disabled={isBusy}
          onClick={() => void decide(deny, "Denied.")}
        >
          Deny
        </Button>
      </div>
    </div>
  );
}

/** Why somebody who sees the question cannot answer it. */
function NotYours({ approval }: { approval: ApprovalView }) {
  const { min_role, user_ids } = approval.approvers;
  const who = {
    viewer: "somebody who sees it",
    member: "a member, an admin or an owner",
    admin: "an admin or an owner",
    owner: "an owner",
  }[min_role];
  return (
    <Text size="sm" c="dimmed">
      You cannot answer this: it takes {who}
      {user_ids.length > 0 && ", or somebody named for it"}, and nobody answers for what they asked for themselves.
    </Text>
  );
}

function Outcome({ approval }: { approval: ApprovalView }) {
  const words = {
    approved: `Approved by ${approval.decided_by?.name ?? "somebody"}.`,
    denied: `Denied by ${approval.decided_by?.name ?? "somebody"}.`,
    expired: "Nobody answered in time, which counts as a denial.",
    withdrawn: "It needs no answer any more.",
    pending: "",
  }[approval.status];
  return (
    <Text size="sm">
      {words} {approval.note && <q>{approval.note}</q>}
    </Text>
  );
}
