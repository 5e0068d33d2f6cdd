// What was said in the test conversation, oldest first, with the answer growing below it while it is written.
import { Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { $api } from "../../api/client";
import type { ConversationEntryView } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";
import { Markdown } from "../../components/Markdown";
import { ListSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import type { JobStatusEvent } from "../../live/events";
import type { Message } from "../../live/transcript";
import { useLive, useOpenTexts } from "../../live/useLive";
import type { AgentView } from "./types";

type Props = { agent: AgentView; conversationId: string };
type Job = Pick<JobStatusEvent, "job_id" | "status" | "failure">;

export function HelloEntries({ agent, conversationId }: Props) {
  const [job, setJob] = useState<Job | null>(null);
  const [written, setWritten] = useState<Written | null>(null);
  const entries = $api.useQuery("get", "/api/v1/conversations/{id}/entries", {
    params: { path: { id: conversationId }, query: { limit: 100 } },
  });
  useLive((event) => {
    if (event.name === "job.status" && event.payload.conversation_id === conversationId) setJob(event.payload);
    if (event.name === "message" && event.payload.role === "assistant") setWritten(writtenIn(event.payload));
  });
  const problem = entries.error !== null && (
    <ErrorState error={entries.error} title="The conversation could not be read" />
  );
  if (entries.data === undefined) return problem || <ListSkeleton rows={2} />;
  const said = [...entries.data.items].reverse();
  return (
    <Stack gap="md" role="log" aria-label={`Conversation with ${agent.name}`}>
      {problem}
      {said.map((entry) => (
        <Entry key={`${entry.kind} ${entry.id}`} agent={agent} entry={entry} />
      ))}
      {job !== null && !isSettled(job, said) && (
        <Writing agent={agent} job={job} written={written?.job === job.job_id ? written.text : null} />
      )}
      {job?.status === "failed" && (
        <Text size="sm" c="var(--mantine-color-error)">
          {job.failure?.message ?? "The job failed."}{" "}
          <TextLink to="/jobs/$id" params={{ id: job.job_id }} underline="always">
            Look at the job
          </TextLink>
        </Text>
      )}
    </Stack>
  );
}

/** What is complete stays in sight until it is an entry. */
type Written = { job: string; text: string };

function writtenIn(message: Message): Written {
  const texts = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return { job: message.job_id, text: texts.join("\n\n") };
}

function isSettled(job: Job, said: readonly ConversationEntryView[]): boolean {
  if (job.status === "failed" || job.status === "cancelled") return true;
  return job.status === "completed" && said.some((entry) => entry.kind !== "message" && entry.job_id === job.job_id);
}

function Writing({ agent, job, written }: { agent: AgentView; job: Job; written: string | null }) {
  const { text, thinking } = useOpenTexts(job.job_id);
  const shown = text?.text ?? written;
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed">
        {agent.name}
      </Text>
      {shown !== null && <Markdown text={shown} />}
      <Text size="xs" c="dimmed" aria-live="polite">
        {text !== null ? "Writing…" : thinking !== null ? "Thinking…" : "Working…"}{" "}
        <TextLink to="/jobs/$id" params={{ id: job.job_id }} underline="always">
          Watch the job
        </TextLink>
      </Text>
    </Stack>
  );
}

function Entry({ agent, entry }: { agent: AgentView; entry: ConversationEntryView }) {
  if (entry.kind === "message")
    return (
      <Paper p="md" maw="80%" style={{ alignSelf: "flex-end", whiteSpace: "pre-wrap" }}>
        <Text size="md">{entry.text}</Text>
      </Paper>
    );
  if (entry.kind === "pass")
    return (
      <Text size="sm" c="dimmed">
        {agent.name} passed: {entry.text}
      </Text>
    );
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed">
        {agent.name}
      </Text>
      <Markdown text={entry.text} />
      {entry.effect_status === "held" && (
        <Text size="xs" component="div">
          <StatusBadge kind="effect" status="held" /> It waits for approval, as its reply policy says.{" "}
          <TextLink to="/approvals" underline="always">
            Approvals
          </TextLink>
        </Text>
      )}
    </Stack>
  );
}
