// What waits for a decision, as cards with everything the decision needs, and below it what was decided and by whom.
import { Stack, Title } from "@mantine/core";
import { IconHandStop, IconHistory } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { $api, paging } from "../../api/client";
import type { ApprovalStatus, ApprovalView } from "../../api/types";
import { ApprovalCard } from "../../components/ApprovalCard";
import { type Column, DataList } from "../../components/DataList";
import { DetailDrawer } from "../../components/DetailDrawer";
import { EmptyState } from "../../components/EmptyState";
import { FilterBar } from "../../components/FilterBar";
import { Loaded } from "../../components/Loaded";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { CardSkeleton } from "../../components/Skeletons";
import { StatusBadge } from "../../components/StatusBadge";

const STATUSES: readonly { value: ApprovalStatus; label: string }[] = [
  { value: "pending", label: "Needs a decision" },
  { value: "approved", label: "Approved" },
  { value: "denied", label: "Denied" },
  { value: "expired", label: "Expired" },
  { value: "withdrawn", label: "Withdrawn" },
];

export function ApprovalsScreen() {
  const search = useSearch({ from: "/shell/approvals" });
  const navigate = useNavigate({ from: "/approvals" });
  const { id, ...filters } = search;
  return (
    <Page
      title="Approvals"
      subtitle="Questions that hold an answer or a job until somebody decides. Silence counts as a no."
    >
      <Stack gap="xl">
        <Open />
        <History filters={filters} onFilter={(values) => void navigate({ search: values })} />
      </Stack>
      {id !== undefined && <One id={id} onClose={() => void navigate({ search: filters })} />}
    </Page>
  );
}

function Open() {
  const open = $api.useQuery("get", "/api/v1/approvals", { params: { query: { status: "pending", limit: 100 } } });
  return (
    <Loaded query={open} failure="The open questions could not be loaded" skeleton={<CardSkeleton height={200} />}>
      {({ items }) => <Questions items={items} />}
    </Loaded>
  );
}

function Questions({ items }: { items: readonly ApprovalView[] }) {
  if (items.length === 0)
    return (
      <EmptyState icon={IconHandStop} title="Nothing waits for a decision">
        When an agent's replies need an approval, or an agent asks before it acts, the question appears here, on the
        home page and in the conversation.
      </EmptyState>
    );
  return (
    <Stack component="section" gap="md" maw={760} aria-label="Needs a decision">
      <Title order={2}>Needs a decision</Title>
      {items.map((approval) => (
        <ApprovalCard key={approval.id} approval={approval} />
      ))}
    </Stack>
  );
}

type HistoryProps = {
  filters: { status?: string; agent_id?: string; job_id?: string };
  onFilter: (values: Record<string, string>) => void;
};

function History({ filters, onFilter }: HistoryProps) {
  const agents = $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 100 } } });
  const nameOf = (id: string) => agents.data?.items.find((agent) => agent.id === id)?.name ?? "";
  const navigate = useNavigate({ from: "/approvals" });
  const { status, ...others } = filters;
  const known = STATUSES.find(({ value }) => value === status)?.value;
  const approvals = $api.useInfiniteQuery(
    "get",
    "/api/v1/approvals",
    { params: { query: { limit: 50, ...others, ...(known ? { status: known } : {}) } } },
    paging,
  );
  const columns: Column<ApprovalView>[] = [
    { header: "Question", cell: (approval) => approval.question, width: "minmax(0, 3fr)" },
    { header: "State", cell: (approval) => <StatusBadge kind="approval" status={approval.status} />, width: "150px" },
    { header: "Agent", cell: (approval) => nameOf(approval.agent_id) },
    { header: "Decided by", cell: (approval) => approval.decided_by?.name ?? "" },
    {
      header: "Asked",
      cell: (approval) => <RelativeTime at={approval.requested_at} />,
      width: "100px",
      align: "right",
    },
  ];
  return (
    <Stack component="section" gap="md" aria-label="History">
      <Title order={2}>History</Title>
      <FilterBar
        filters={[
          { kind: "select", name: "status", label: "State", options: STATUSES },
          {
            kind: "select",
            name: "agent_id",
            label: "Agent",
            options: agents.data?.items.map((agent) => ({ value: agent.id, label: agent.name })) ?? [],
          },
        ]}
        values={filters}
        onChange={onFilter}
      />
      <DataList
        label="Approvals"
        pages={approvals}
        idOf={(approval) => approval.id}
        columns={columns}
        onOpen={(approval) => void navigate({ search: { ...filters, id: approval.id } })}
        empty={
          <EmptyState
            icon={IconHistory}
            title={Object.keys(filters).length > 0 ? "No approval matches" : "No approvals yet"}
          >
            Every question that was asked stays here, with who decided and what they said.
          </EmptyState>
        }
      />
    </Stack>
  );
}

function One({ id, onClose }: { id: string; onClose: () => void }) {
  const approval = $api.useQuery("get", "/api/v1/approvals/{id}", { params: { path: { id } } });
  return (
    <DetailDrawer title="Approval" onClose={onClose}>
      <Loaded query={approval} failure="The approval could not be loaded" skeleton={<CardSkeleton height={240} />}>
        {(known) => <ApprovalCard approval={known} />}
      </Loaded>
    </DetailDrawer>
  );
}
