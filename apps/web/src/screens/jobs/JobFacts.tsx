// The facts of a job on one line: whose it is, how long it takes, what it used and what belongs to it.
import { useEffect, useState } from "react";
import { useAgentNames } from "../../api/names";
import { AgentAvatar } from "../../components/AgentAvatar";
import { CopyId } from "../../components/CopyId";
import { TextLink } from "../../components/Links";
import { Money } from "../../components/Money";
import { RelativeTime } from "../../components/RelativeTime";
import { Tokens } from "../../components/Tokens";
import { duration } from "../../lib/format";
import type { ModelCall } from "../../live/transcript";
import classes from "./JobScreen.module.css";
import { isOver, type JobDetail } from "./job";

export function JobFacts({ job, modelCalls }: { job: JobDetail; modelCalls: ReadonlyMap<string, ModelCall> }) {
  const name = useAgentNames().get(job.agent_id) ?? "Agent";
  const used = usedSoFar(job, modelCalls);
  return (
    <div className={classes.facts}>
      <TextLink to="/agents/$id" params={{ id: job.agent_id }} size="sm" className={classes.agent}>
        <AgentAvatar name={name} size={18} />
        {name}
      </TextLink>
      <span>
        Began <RelativeTime at={job.started_at} empty="not yet" />
      </span>
      <Took job={job} />
      <Money micros={used.costMicros} />
      <Tokens usage={used.usage} />
      <span className="mono">{job.model}</span>
      {job.attempt > 1 && <span>Attempt {job.attempt}</span>}
      {job.retry_of !== null && (
        <TextLink to="/jobs/$id" params={{ id: job.retry_of }} size="sm">
          The attempt before
        </TextLink>
      )}
      <TextLink to="/work-items/$id" params={{ id: job.work_item_id }} size="sm">
        Work item
      </TextLink>
      <CopyId id={job.id} of="job" />
    </div>
  );
}

function Took({ job }: { job: JobDetail }) {
  const [now, setNow] = useState(Date.now);
  const isRunning = job.started_at !== null && !isOver(job.status);
  useEffect(() => {
    if (!isRunning) return;
    // A clock on the screen, not a question to the server.
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isRunning]);
  if (job.started_at === null) return null;
  const end = job.finished_at === null ? now : Date.parse(job.finished_at);
  return <span className="mono">{duration(end - Date.parse(job.started_at))}</span>;
}

/** The row of a job is asked for when its status changes; between that, its model calls say more. */
function usedSoFar(
  job: JobDetail,
  modelCalls: ReadonlyMap<string, ModelCall>,
): { costMicros: number; usage: JobDetail["usage"] } {
  const calls = [...modelCalls.values()];
  const costMicros = calls.reduce((sum, call) => sum + call.cost_micros, 0);
  if (isOver(job.status) || costMicros < job.cost_micros) return { costMicros: job.cost_micros, usage: job.usage };
  const sum = (kind: keyof JobDetail["usage"]) => calls.reduce((total, call) => total + call.usage[kind], 0);
  return {
    costMicros,
    usage: {
      input: sum("input"),
      output: sum("output"),
      cache_read: sum("cache_read"),
      cache_write: sum("cache_write"),
    },
  };
}
