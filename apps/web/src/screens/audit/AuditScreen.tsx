// Who changed what, when and from where, newest first. Rows are chained by hashes, and this page says what that proves
// and how to check it.
import { Group, Stack, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { $api, paging } from "../../api/client";
import { useMay } from "../../api/session";
import type { AuditEntryView } from "../../api/types";
import { CopyId } from "../../components/CopyId";
import { type Column, DataList } from "../../components/DataList";
import { DetailDrawer } from "../../components/DetailDrawer";
import { EmptyState } from "../../components/EmptyState";
import { FilterBar } from "../../components/FilterBar";
import { KeyValue } from "../../components/KeyValue";
import { Loaded } from "../../components/Loaded";
import { Page } from "../../components/Page";
import { RelativeTime } from "../../components/RelativeTime";
import { CardSkeleton } from "../../components/Skeletons";
import { absoluteTime } from "../../lib/format";
import { ChangeList } from "./ChangeList";
import { actionWords, actorName, subjectName } from "./words";

export function AuditScreen() {
  const search = useSearch({ from: "/shell/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const { id, ...filters } = search;
  const mayReadPeople = useMay("people", "read");
  const users = $api.useQuery("get", "/api/v1/users", {}, { enabled: mayReadPeople });
  const entries = $api.useInfiniteQuery(
    "get",
    "/api/v1/audit",
    { params: { query: { limit: 50, ...filters } } },
    paging,
  );
  const loaded = entries.data?.pages.flatMap((page) => page.items).find((entry) => String(entry.seq) === id);
  const columns: Column<AuditEntryView>[] = [
    { header: "What", cell: (entry) => actionWords(entry.action), width: "minmax(0, 2fr)" },
    { header: "Of", cell: (entry) => subjectName(entry), width: "minmax(0, 2fr)" },
    { header: "Who", cell: (entry) => actorName(entry), width: "minmax(0, 1fr)" },
    { header: "From", cell: (entry) => <span className="mono">{entry.address ?? ""}</span>, wideOnly: true },
    { header: "When", cell: (entry) => <RelativeTime at={entry.at} />, width: "100px", align: "right" },
  ];
  return (
    <Page
      title="Audit"
      subtitle={
        <>
          Every entry holds the hash of the one before: what is changed or taken out later shows. Check the whole chain
          on the server with <code>nitejar audit verify</code>.
        </>
      }
      filters={
        <FilterBar
          filters={[
            { kind: "text", name: "action", label: "Action, as agent.updated" },
            {
              kind: "select",
              name: "actor_id",
              label: "Who",
              options: users.data?.items.map((user) => ({ value: user.id, label: user.name })) ?? [],
            },
          ]}
          values={filters}
          onChange={(values) => void navigate({ search: values })}
        />
      }
    >
      <DataList
        label="Audit log"
        pages={entries}
        idOf={(entry) => String(entry.seq)}
        columns={columns}
        onOpen={(entry) => void navigate({ search: { ...search, id: String(entry.seq) } })}
        empty={
          <EmptyState icon={IconHistory} title={Object.keys(filters).length > 0 ? "No entry matches" : "Nothing yet"}>
            Changes to agents, integrations, people, tokens and settings, and decisions about effects and approvals, are
            written down here for good.
          </EmptyState>
        }
      />
      {id && <One key={id} seq={id} loaded={loaded} onClose={() => void navigate({ search: filters })} />}
    </Page>
  );
}

type OneProps = {
  seq: string;
  /** The row of the list, when it is there; else the entry is asked for. */
  loaded: AuditEntryView | undefined;
  onClose: () => void;
};

function One({ seq, loaded, onClose }: OneProps) {
  const asked = $api.useQuery(
    "get",
    "/api/v1/audit/{seq}",
    { params: { path: { seq: Number(seq) } } },
    { enabled: loaded === undefined },
  );
  const entry = loaded ?? asked.data;
  return (
    <DetailDrawer title={entry ? actionWords(entry.action) : "Entry"} onClose={onClose}>
      <Loaded
        query={{ ...asked, data: entry }}
        failure="The entry could not be loaded"
        skeleton={<CardSkeleton height={240} />}
      >
        {(known) => <Entry entry={known} />}
      </Loaded>
    </DetailDrawer>
  );
}

function Entry({ entry }: { entry: AuditEntryView }) {
  const { id } = entry.subject;
  return (
    <Stack gap="lg">
      <KeyValue
        items={[
          { label: "Who", value: `${actorName(entry)} (${entry.actor.kind})` },
          {
            label: "Of",
            value: (
              <Group gap="sm">
                {subjectName(entry)}
                {id && <CopyId id={id} of={entry.subject.kind} />}
              </Group>
            ),
          },
          { label: "When", value: absoluteTime(entry.at) },
          { label: "From", value: <span className="mono">{entry.address ?? "not over the network"}</span> },
          ...(entry.request_id
            ? [{ label: "Request", value: <CopyId id={entry.request_id} of="request" whole /> }]
            : []),
        ]}
      />
      <ChangeList before={entry.before} after={entry.after} />
      <Text size="xs" c="dimmed" component="div">
        Entry <span className="mono">{entry.seq}</span>, hash <CopyId id={entry.hash} of="entry" />. The hash covers
        everything above and the hash of entry <span className="mono">{entry.seq - 1}</span>.
      </Text>
    </Stack>
  );
}
