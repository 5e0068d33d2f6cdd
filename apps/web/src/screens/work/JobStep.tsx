// One job inside the story of a work item: how it stands, the tools it used, what it changed outside, what waits for a
// person, and what it cost. The whole transcript is one click away.

import { IconRobot } from "@tabler/icons-react";
import { $api } from "../../api/client";
import { useAgentNames } from "../../api/names";
import type { components } from "../../api/schema";
import { useMay } from "../../api/session";
import { ApprovalCard } from "../../components/ApprovalCard";
import { EffectCard } from "../../components/EffectCard";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";
import { Markdown } from "../../components/Markdown";
import { Money } from "../../components/Money";
import { Spine } from "../../components/Spine";
import { StatusBadge } from "../../components/StatusBadge";
import { Tokens } from "../../components/Tokens";
import { ToolCallCardAlone } from "../../components/ToolCallCard";
import { count, duration } from "../../lib/format";
import type { ToolCall } from "../../live/transcript";
import { isOver } from "../jobs/job";
import classes from "./WorkItemScreen.module.css";

type Job = components["schemas"]["JobView"];

/** More calls than this are read on the page of the job. */
const MOST_CALLS = 20;
const STATES = {
  queued: undefined,
  running: "running",
  waiting: "waiting",
  completed: "done",
  failed: "failed",
  cancelled: undefined,
} as const;

export function JobStep({ job }: { job: Job }) {
  const name = useAgentNames().get(job.agent_id) ?? "Agent";
  const path = { params: { path: { id: job.id } } };
  const detail = $api.useQuery("get", "/api/v1/jobs/{id}", path).data;
  const asked = $api.useQuery("get", "/api/v1/jobs/{id}/tool-calls", path);
  const calls = asked.data?.items ?? NO_CALLS;
  const approvals = useApprovals(job.id);
  const earlier = calls.length - MOST_CALLS;
  return (
    <Spine icon={IconRobot} state={STATES[job.status]} margin={<Spent job={job} />}>
      <div className={classes.job}>
        <div className={classes.jobHead}>
          <TextLink to="/jobs/$id" params={{ id: job.id }} fw={600} c="inherit">
            {name}, attempt {job.attempt}
          </TextLink>
          <StatusBadge kind="job" status={job.status} />
          <span className={classes.facts}>
            {job.started_at !== null && job.finished_at !== null && (
              <span className="mono">{duration(Date.parse(job.finished_at) - Date.parse(job.started_at))}</span>
            )}
            {detail !== undefined && <span>{count(detail.model_call_count, "model call")}</span>}
          </span>
        </div>
        {job.failure !== null && <p className={classes.words}>{job.failure.message}</p>}
        {asked.error !== null && (
          <ErrorState
            error={asked.error}
            title="Its tool calls could not be listed"
            retry={() => void asked.refetch()}
          />
        )}
        {earlier > 0 && (
          <TextLink to="/jobs/$id" params={{ id: job.id }} size="sm">
            {count(earlier, "earlier tool call")}
          </TextLink>
        )}
        {calls.slice(-MOST_CALLS).map((call) => (
          <ToolCallCardAlone key={call.id} job={job.id} call={partOf(call)} record={call} />
        ))}
        {approvals.map((approval) => (
          <ApprovalCard key={approval.id} approval={approval} isEmbedded />
        ))}
        {detail?.effects.map((effect) => (
          <EffectCard key={effect.id} effect={effect} />
        ))}
        {detail !== undefined && !detail.effects.some((effect) => effect.slot === "reply") && <Answer job={job} />}
        {!isOver(job.status) && (
          <TextLink to="/jobs/$id" params={{ id: job.id }} size="sm">
            Watch it live
          </TextLink>
        )}
      </div>
    </Spine>
  );
}

/** An answer that went nowhere outside has no effect; it is in the conversation. */
function Answer({ job }: { job: Job }) {
  const init = { params: { path: { id: job.conversation_id }, query: { limit: 100 } } };
  const isDone = job.status === "completed";
  const { data } = $api.useQuery("get", "/api/v1/conversations/{id}/entries", init, { enabled: isDone });
  const answer = data?.items.find((entry) => entry.kind === "reply" && entry.job_id === job.id);
  return answer === undefined ? null : (
    <div className={classes.answer}>
      <Markdown text={answer.text} />
    </div>
  );
}

function Spent({ job }: { job: Job }) {
  return (
    <span className={classes.spent}>
      <Money micros={job.cost_micros} />
      <Tokens usage={job.usage} />
    </span>
  );
}

const NO_CALLS: ToolCall[] = [];
const NO_APPROVALS: never[] = [];

function useApprovals(job: string) {
  const mayRead = useMay("approvals", "read");
  const query = { params: { query: { job_id: job, limit: 100 } } };
  return $api.useQuery("get", "/api/v1/approvals", query, { enabled: mayRead }).data?.items ?? NO_APPROVALS;
}

/** The receipt as the part of the message that asked for it. */
function partOf(call: ToolCall) {
  return {
    type: "tool_call" as const,
    id: call.provider_call_id,
    name: call.name,
    arguments: call.arguments,
    origin: "model" as const,
    trust: "untrusted" as const,
  };
}
