// A job, live or over: its whole story, and what a person can do about it (stop it, try again, say something).
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { JobTimeline } from "../../components/JobTimeline";
import { Page } from "../../components/Page";
import { PageSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";
import { titleOf } from "../../lib/format";
import { useTranscript } from "../../live/useTranscript";
import { CancelJob } from "./CancelJob";
import { JobFacts } from "./JobFacts";
import classes from "./JobScreen.module.css";
import { isOver, type JobDetail } from "./job";
import { RetryJob } from "./RetryJob";
import { SteerJob } from "./SteerJob";

export function JobScreen() {
  const { id } = useParams({ from: "/shell/jobs/$id" });
  const job = $api.useQuery("get", "/api/v1/jobs/{id}", { params: { path: { id } } });
  if (job.data !== undefined) return <Story job={job.data} />;
  if (job.error === null) return <PageSkeleton />;
  return (
    <Page title="Job">
      <ErrorState error={job.error} title="The job could not be loaded" retry={() => void job.refetch()} />
    </Page>
  );
}

function Story({ job }: { job: JobDetail }) {
  const { message } = useSearch({ from: "/shell/jobs/$id" });
  const { transcript, isLoaded, error, retry } = useTranscript(job.id);
  const approvals = useApprovals(job.id);
  const item = $api.useQuery("get", "/api/v1/work-items/{id}", { params: { path: { id: job.work_item_id } } });
  const mayOperate = useMay("work", "operate");
  const navigate = useNavigate({ from: "/jobs/$id" });
  const toMessage = useCallback(
    (seq: number) => void navigate({ search: { message: String(seq) }, replace: true, resetScroll: false }),
    [navigate],
  );
  const focus = message === undefined ? null : Number.parseInt(message, 10);
  return (
    <Page
      fill
      title={titleOf(item.data?.message.text)}
      badge={<StatusBadge kind="job" status={job.status} />}
      subtitle={<JobFacts job={job} modelCalls={transcript.modelCalls} />}
      action={mayOperate && (isOver(job.status) ? <RetryJob job={job} /> : <CancelJob job={job} />)}
    >
      <div className={classes.story}>
        <p className="visually-hidden" role="status">
          The job is {job.status}.
        </p>
        {error !== null && <ErrorState error={error} title="The transcript could not be loaded" retry={retry} />}
        <div className={classes.timeline}>
          <JobTimeline
            key={job.id}
            job={job}
            transcript={transcript}
            isLoaded={isLoaded}
            effects={job.effects}
            approvals={approvals}
            focus={Number.isNaN(focus) ? null : focus}
            onLink={toMessage}
          />
        </div>
        {mayOperate && !isOver(job.status) && <SteerJob key={job.id} job={job} transcript={transcript} />}
      </div>
    </Page>
  );
}

const NONE: never[] = [];

function useApprovals(job: string) {
  const mayRead = useMay("approvals", "read");
  const query = { params: { query: { job_id: job, limit: 100 } } };
  return $api.useQuery("get", "/api/v1/approvals", query, { enabled: mayRead }).data?.items ?? NONE;
}
