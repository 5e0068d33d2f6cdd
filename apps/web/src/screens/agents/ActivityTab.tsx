// Everything an agent ever did, newest first: its jobs, what became of each and what it cost.
import { Select, Stack, Text } from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { $api, paging } from "../../api/client";
import type { components } from "../../api/schema";
import { CopyId } from "../../components/CopyId";
import { type Column, DataList } from "../../components/DataList";
import { EmptyState } from "../../components/EmptyState";
import { Money } from "../../components/Money";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { duration } from "../../lib/format";
import type { JobStatus } from "./agentSearch";
import type { AgentView } from "./types";

type JobView = components["schemas"]["JobView"];

const STATUSES: readonly { value: JobStatus; label: string }[] = [
  { value: "queued", label: "Queued" },
  { value: "running", label: "Running" },
  { value: "waiting", label: "Waiting" },
  { value: "completed", label: "Completed" },
  { value: "failed", label: "Failed" },
  { value: "cancelled", label: "Cancelled" },
];

type Props = { agent: AgentView; status: JobStatus | undefined; onStatus: (status: JobStatus | undefined) => void };

export function ActivityTab({ agent, status, onStatus }: Props) {
  const query = { agent_id: agent.id, limit: 50, ...(status ? { status } : {}) };
  const pages = $api.useInfiniteQuery("get", "/api/v1/jobs", { params: { query } }, paging);
  return (
    <Stack gap="lg">
      <Select
        aria-label="Jobs of which state"
        placeholder="Every state"
        clearable
        size="xs"
        w={180}
        data={[...STATUSES]}
        value={status ?? null}
        onChange={(value) => onStatus((value ?? undefined) as JobStatus | undefined)}
      />
      <DataList
        label={`Jobs of ${agent.name}`}
        pages={pages}
        idOf={(job) => job.id}
        columns={COLUMNS}
        link={(job) => ({ to: "/jobs/$id", params: { id: job.id } })}
        empty={
          status ? (
            <EmptyState icon={IconListDetails} title="No such jobs">
              {agent.name} has no jobs in this state.
            </EmptyState>
          ) : (
            <EmptyState icon={IconListDetails} title="No jobs yet">
              Each time {agent.name} acts on a message, its job is listed here with what it cost.
            </EmptyState>
          )
        }
      />
    </Stack>
  );
}

const COLUMNS: readonly Column<JobView>[] = [
  { header: "Job", width: "minmax(0, 1.2fr)", cell: (job) => <StatusBadge kind="job" status={job.status} /> },
  {
    header: "Remark",
    width: "minmax(0, 2fr)",
    cell: (job) => remark(job),
  },
  { header: "Took", width: "90px", align: "right", cell: (job) => <Took job={job} /> },
  { header: "Cost", width: "90px", align: "right", cell: (job) => <Money micros={job.cost_micros} /> },
  {
    header: "Began",
    width: "110px",
    cell: (job) => (
      <Text size="xs" c="dimmed">
        <RelativeTime at={job.created_at} />
      </Text>
    ),
  },
  { header: "Id", width: "120px", wideOnly: true, cell: (job) => <CopyId id={job.id} of="job" /> },
];

/** Most jobs need none: they ended as they should. */
function remark(job: JobView) {
  const text = job.failure?.message ?? (job.retry_of === null ? null : `Attempt ${job.attempt}`);
  if (text === null) return null;
  return (
    <Text size="xs" c="dimmed" lineClamp={2}>
      {text}
    </Text>
  );
}

function Took({ job }: { job: JobView }) {
  if (job.started_at === null || job.finished_at === null) return null;
  return <span className="mono">{duration(Date.parse(job.finished_at) - Date.parse(job.started_at))}</span>;
}
