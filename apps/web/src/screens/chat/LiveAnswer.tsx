// An answer while it is written: the tools it uses as lines, and its text as it comes. The whole is on the job's page.
import { Button } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { $api } from "../../api/client";
import { useAgentNames } from "../../api/names";
import type { components } from "../../api/schema";
import { useMay } from "../../api/session";
import { AgentAvatar } from "../../components/AgentAvatar";
import { TextLink } from "../../components/Links";
import { Markdown } from "../../components/Markdown";
import { notifyProblem } from "../../components/notify";
import { StatusBadge } from "../../components/StatusBadge";
import { ToolLine } from "../../components/ToolCallCard";
import { timelineRows } from "../../components/timelineRows";
import { useOpenTexts } from "../../live/useLive";
import { useTranscript } from "../../live/useTranscript";
import { isOver } from "../jobs/job";
import classes from "./ChatScreen.module.css";

type Job = components["schemas"]["JobView"];

export function LiveAnswer({ job }: { job: Job }) {
  const name = useAgentNames().get(job.agent_id) ?? "Agent";
  const { transcript } = useTranscript(job.id);
  const rows = useMemo(() => timelineRows(transcript), [transcript]);
  const { text, thinking } = useOpenTexts(job.id);
  const isLive = !isOver(job.status);
  return (
    <article aria-busy={isLive}>
      <div className={classes.by}>
        <AgentAvatar name={name} size={18} />
        <strong>{name}</strong>
        <StatusBadge kind="job" status={job.status} />
        {job.status === "waiting" && (
          <TextLink to="/approvals" search={{ job_id: job.id }} size="xs">
            See what it waits for
          </TextLink>
        )}
        <TextLink to="/jobs/$id" params={{ id: job.id }} size="xs">
          Watch the job
        </TextLink>
        {isLive && <Stop job={job} />}
      </div>
      <div className={classes.steps}>
        {rows.map((row) => {
          if (row.kind === "prose") return <Markdown key={row.key} text={row.text} />;
          if (row.kind !== "tool") return null;
          return (
            <div key={row.key} className={classes.tool}>
              <ToolLine call={row.call} record={row.record} result={row.result} />
            </div>
          );
        })}
        {thinking !== null && text === null && (
          <div className={classes.thinking}>
            <div>{thinking.text}</div>
          </div>
        )}
        {text !== null && <Markdown text={text.text} />}
      </div>
    </article>
  );
}

function Stop({ job }: { job: Job }) {
  const cache = useQueryClient();
  const mayOperate = useMay("work", "operate");
  const cancel = $api.useMutation("post", "/api/v1/jobs/{id}/cancel");
  if (!mayOperate) return null;
  const isStopping = job.cancel_requested_at !== null || cancel.isSuccess;
  const stop = async () => {
    try {
      await cancel.mutateAsync({ params: { path: { id: job.id } } });
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/jobs"] });
    } catch (error) {
      notifyProblem("The answer was not stopped", error);
    }
  };
  return (
    <Button
      size="compact-xs"
      variant="default"
      leftSection={<IconPlayerStop size={12} aria-hidden />}
      disabled={isStopping}
      loading={cancel.isPending}
      onClick={() => void stop()}
    >
      {isStopping ? "Stopping" : "Stop"}
    </Button>
  );
}
