// Says something to an agent while it works. It goes the same way as a message in its channel, so what becomes of it
// is what the agent's steering says.
import { useState } from "react";
import { $api } from "../../api/client";
import { sendOnce, unsent } from "../../api/sendOnce";
import { Composer } from "../../components/Composer";
import { notifyProblem } from "../../components/notify";
import type { Transcript } from "../../live/transcript";
import type { JobDetail } from "./job";

const BECOMES = {
  steer: "reads it at its next step",
  queue: "begins with it when this job is over",
  merge: "takes it up, with what else waits, when this job is over",
} as const;

export function SteerJob({ job, transcript }: { job: JobDetail; transcript: Transcript }) {
  const agent = $api.useQuery("get", "/api/v1/agents/{id}", { params: { path: { id: job.agent_id } } }).data;
  const send = $api.useMutation("post", "/api/v1/work-items");
  /** How many messages there were when the last word was sent. */
  const [sentAt, setSentAt] = useState<number | null>(null);
  const name = agent?.name ?? "The agent";
  const becomes = BECOMES[agent?.steering ?? "steer"];
  const wasRead = sentAt !== null && transcript.messages.slice(sentAt).some((message) => message?.role === "user");
  return (
    <Composer
      place={`job ${job.id}`}
      label={`Say something to ${name}`}
      placeholder={`Say something to ${name} while it works`}
      hint={
        sentAt !== null && !wasRead
          ? `Sent. ${name} ${becomes}.`
          : `${name} ${becomes}. Enter sends, Shift+Enter begins a line.`
      }
      onSend={async (text) => {
        const before = transcript.messages.length;
        const body = { text, agent_ids: [job.agent_id], conversation_id: job.conversation_id };
        try {
          await sendOnce(`job ${job.id}`, body, (init) => send.mutateAsync(init));
          setSentAt(before);
        } catch (error) {
          notifyProblem(unsent(error, "Your message was not sent"), error);
          throw error;
        }
      }}
    />
  );
}
