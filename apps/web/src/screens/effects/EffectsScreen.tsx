// Changes to the outside world and where they stand. What waits for a person comes first; every row says why it
// stands where it stands and opens beside the list with what can be done about it.

import { IconSend } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { $api, paging } from "../../api/client";
import { integrationName, useIntegrationNames } from "../../api/names";
import { type Column, DataList } from "../../components/DataList";
import { EmptyState } from "../../components/EmptyState";
import { FilterBar } from "../../components/FilterBar";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { StatusBadge } from "../../components/StatusBadge";
import { EffectDrawer } from "./EffectDrawer";
import { StateTabs } from "./StateTabs";
import { actionLabel, type EffectStatus, type EffectView, standing } from "./standing";

export function EffectsScreen() {
  const search = useSearch({ from: "/shell/effects" });
  const navigate = useNavigate({ from: "/effects" });
  const { id, status, ...others } = search;
  const effects = $api.useInfiniteQuery(
    "get",
    "/api/v1/effects",
    { params: { query: { limit: 50, ...others, ...(isStatus(status) ? { status } : {}) } } },
    paging,
  );
  const agents = $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 100 } } });
  const names = useIntegrationNames();
  const loaded = effects.data?.pages.flatMap((page) => page.items) ?? [];
  const open = id === undefined ? undefined : loaded.find((effect) => effect.id === id);

  const columns: Column<EffectView>[] = [
    { header: "Effect", cell: (effect) => <Words effect={effect} />, width: "minmax(0, 3fr)" },
    { header: "State", cell: (effect) => <StatusBadge kind="effect" status={effect.status} />, width: "110px" },
    { header: "Why", cell: (effect) => standing(effect).title, width: "minmax(0, 2fr)" },
    { header: "Through", cell: (effect) => integrationName(names, effect.integration_id), width: "minmax(0, 1fr)" },
    { header: "Age", cell: (effect) => <RelativeTime at={effect.created_at} />, width: "100px", align: "right" },
  ];
  return (
    <Page
      title="Effects"
      subtitle="What agents change outside: replies, marks on messages, progress."
      filters={
        <>
          <StateTabs status={status} onChange={(next) => void navigate({ search: { ...others, status: next } })} />
          <FilterBar
            filters={[
              {
                kind: "select",
                name: "agent_id",
                label: "Agent",
                options: agents.data?.items.map((agent) => ({ value: agent.id, label: agent.name })) ?? [],
              },
            ]}
            values={others}
            onChange={(values) => void navigate({ search: { status, ...values } })}
          />
        </>
      }
    >
      <DataList
        label="Effects"
        pages={effects}
        idOf={(effect) => effect.id}
        columns={columns}
        onOpen={(effect) => void navigate({ search: { ...search, id: effect.id } })}
        empty={<Empty status={status} isFiltered={Object.keys(others).length > 0} />}
      />
      {id !== undefined && (
        <EffectDrawer
          id={id}
          loaded={open}
          integration={open ? (integrationName(names, open.integration_id) ?? undefined) : undefined}
          onClose={() => void navigate({ search: { status, ...others } })}
        />
      )}
    </Page>
  );
}

function Words({ effect }: { effect: EffectView }) {
  const { action } = effect;
  if (!("markdown" in action)) return actionLabel(action);
  return (
    <>
      {action.kind !== "reply" && `${actionLabel(action)}: `}
      {plain(action.markdown)}
    </>
  );
}

/** Enough of a text for one line, without the signs that only mean something when it is set. */
function plain(markdown: string): string {
  return markdown
    .slice(0, 300)
    .replace(/[*`#>]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

function Empty({ status, isFiltered }: { status: string | undefined; isFiltered: boolean }) {
  if (isFiltered || status !== undefined)
    return (
      <EmptyState icon={IconSend} title={status === "failed" ? "No dead letters" : "Nothing stands so"}>
        {status === "failed"
          ? "What could not be sent in the end would wait here for you to send it again."
          : "No effect matches. Choose another state or clear the filters."}
      </EmptyState>
    );
  return (
    <EmptyState icon={IconSend} title="No effects yet">
      When an agent answers somebody, the answer is written down here before it is sent, with where it goes and what
      became of it.
    </EmptyState>
  );
}

const STATUSES: readonly EffectStatus[] = ["pending", "held", "sending", "sent", "unknown", "failed", "cancelled"];

function isStatus(text: string | undefined): text is EffectStatus {
  return STATUSES.some((status) => status === text);
}
