// Everything that came in and may need work, newest first, and the place to hand in work by hand.
import { Text } from "@mantine/core";
import { IconInbox } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { $api, paging } from "../../api/client";
import { integrationName, useAgentNames, useIntegrationNames } from "../../api/names";
import type { components } from "../../api/schema";
import { useMay } from "../../api/session";
import type { WorkItemFilter } from "../../api/types";
import { AgentAvatar } from "../../components/AgentAvatar";
import { type Column, DataList } from "../../components/DataList";
import { EmptyState } from "../../components/EmptyState";
import { type Filter, FilterBar } from "../../components/FilterBar";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { HandInWork } from "./HandInWork";
import classes from "./InboxScreen.module.css";

type WorkItem = components["schemas"]["WorkItemView"];
type Status = NonNullable<WorkItemFilter["status"]>;

const STATUSES: { value: Status; label: string }[] = [
  { value: "open", label: "Open" },
  { value: "replied", label: "Replied" },
  { value: "passed", label: "Passed" },
  { value: "failed", label: "Failed" },
];

export function InboxScreen() {
  const search = useSearch({ from: "/shell/inbox" });
  const navigate = useNavigate({ from: "/inbox" });
  const mayOperate = useMay("work", "operate");
  const filters = useFilters();
  const { status, ...others } = search;
  const known = STATUSES.find((one) => one.value === status)?.value;
  const pages = $api.useInfiniteQuery(
    "get",
    "/api/v1/work-items",
    { params: { query: { limit: 50, ...others, ...(known && { status: known }) } } },
    paging,
  );
  const columns = useColumns();
  const isFiltered = Object.keys(search).length > 0;
  return (
    <Page
      title="Inbox"
      subtitle={search.conversation_id === undefined ? undefined : "What came in on one conversation."}
      action={mayOperate && <HandInWork />}
      filters={<FilterBar filters={filters} values={search} onChange={(values) => void navigate({ search: values })} />}
    >
      <DataList
        label="Work items"
        pages={pages}
        idOf={(item: WorkItem) => item.id}
        columns={columns}
        link={(item) => ({ to: "/work-items/$id", params: { id: item.id } })}
        empty={
          isFiltered ? (
            <EmptyState icon={IconInbox} title="Nothing matches">
              No work item is like that. Clear a filter to see more.
            </EmptyState>
          ) : (
            <EmptyState icon={IconInbox} title="Nothing has come in yet" action={mayOperate && <HandInWork />}>
              Messages from your integrations land here, with what each agent decided about them. You can also hand in
              work yourself.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}

/** Where it was said; not of a thread that is called by the very words. */
function place({ title, text }: WorkItem["message"]): string | null {
  return title !== null && !text.startsWith(title.replace(/…$/, "")) ? title : null;
}

function useFilters(): Filter[] {
  const options = (names: ReadonlyMap<string, string>) => [...names].map(([value, label]) => ({ value, label }));
  return [
    { kind: "text", name: "text", label: "Search the text" },
    { kind: "select", name: "integration_id", label: "Integration", options: options(useIntegrationNames()) },
    { kind: "select", name: "agent_id", label: "Agent", options: options(useAgentNames()) },
    { kind: "select", name: "status", label: "Status", options: STATUSES },
  ];
}

function useColumns(): Column<WorkItem>[] {
  const agents = useAgentNames();
  const integrations = useIntegrationNames();
  return [
    {
      header: "Message",
      width: "minmax(0, 4fr)",
      cell: (item) => (
        <span className={classes.message}>
          <span className={classes.text}>{item.message.text.trim() === "" ? "(no text)" : item.message.text}</span>
          <Text component="span" size="xs" c="dimmed">
            {item.message.sender.display_name}
            {place(item.message) !== null && ` in ${place(item.message)}`}
          </Text>
        </span>
      ),
    },
    { header: "Integration", cell: (item) => integrationName(integrations, item.integration_id) },
    {
      header: "For",
      width: "88px",
      wideOnly: true,
      cell: (item) =>
        item.assigned_agent_ids.length === 0 ? (
          <Text component="span" size="xs" c="dimmed">
            Anybody
          </Text>
        ) : (
          <span className={classes.agents}>
            {item.assigned_agent_ids.slice(0, 3).map((id) => (
              <AgentAvatar key={id} name={agents.get(id) ?? "Agent"} size={20} />
            ))}
            <span className="visually-hidden">{item.assigned_agent_ids.map((id) => agents.get(id)).join(", ")}</span>
          </span>
        ),
    },
    { header: "Status", width: "104px", cell: (item) => <StatusBadge kind="item" status={item.status} /> },
    { header: "Came", width: "88px", align: "right", cell: (item) => <RelativeTime at={item.created_at} /> },
  ];
}
