// The files of a sprite, one directory at a time. Directory and file live in the URL, so that a place in a
// sprite can be sent to somebody. Looking wakes nothing up that the server does not wake by itself.
import { Anchor, Breadcrumbs, Group, Stack, Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconFile, IconFileUnknown, IconFolder, IconFolderOpen, IconLink } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../../api/client";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorState } from "../../../components/ErrorState";
import { RelativeTime } from "../../../components/RelativeTime";
import { ListSkeleton } from "../../../components/Skeletons";
import { bytes, count } from "../../../lib/format";
import { FileView } from "./FileView";
import { crumbsOf, joinPath, parentOf } from "./paths";

type Props = {
  agentId: string;
  path: string | undefined;
  file: string | undefined;
  onOpen: (place: { path?: string | undefined; file?: string | undefined }) => void;
};

const ICONS = { directory: IconFolder, file: IconFile, link: IconLink, other: IconFileUnknown };

export function SpriteFiles({ agentId, path, file, onOpen }: Props) {
  const [filter, setFilter] = useState("");
  const listing = $api.useQuery("get", "/api/v1/agents/{id}/sprite/files", {
    params: { path: { id: agentId }, query: path === undefined ? {} : { path } },
  });
  if (file !== undefined)
    return <FileView agentId={agentId} path={file} onClose={() => onOpen({ path: parentOf(file) ?? "/" })} />;
  const problem = listing.error !== null && (
    <ErrorState error={listing.error} title="This directory could not be read" retry={() => onOpen({})} />
  );
  if (listing.data === undefined) return problem || <ListSkeleton />;

  const here = listing.data.path;
  const above = parentOf(here);
  const shown = listing.data.items.filter((item) => item.name.toLowerCase().includes(filter.toLowerCase()));
  const enter = (directory: string) => {
    setFilter("");
    onOpen({ path: directory });
  };
  return (
    <Stack gap="md">
      {problem}
      <Group justify="space-between" gap="md">
        <Crumbs path={here} onOpen={enter} />
        <TextInput
          size="xs"
          aria-label="Filter names in this directory"
          placeholder="Filter names"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      </Group>
      {listing.data.items.length === 0 ? (
        <EmptyState icon={IconFolderOpen} title="This directory is empty">
          Files that the agent makes here will be listed.
        </EmptyState>
      ) : (
        <Table.ScrollContainer minWidth={320}>
          <Table highlightOnHover verticalSpacing={6} aria-label={`Files in ${here}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th ta="right">Size</Table.Th>
                <Table.Th>Changed</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {above !== null && filter === "" && (
                <Table.Tr>
                  <Table.Td colSpan={3}>
                    <Entry kind="directory" name=".." onOpen={() => enter(above)} />
                  </Table.Td>
                </Table.Tr>
              )}
              {shown.map((item) => {
                const target = joinPath(here, item.name);
                const open =
                  item.kind === "directory" ? () => enter(target) : () => onOpen({ path: here, file: target });
                return (
                  <Table.Tr key={item.name}>
                    <Table.Td>
                      <Entry kind={item.kind} name={item.name} onOpen={item.kind === "other" ? undefined : open} />
                    </Table.Td>
                    <Table.Td ta="right" ff="monospace" fz="xs">
                      {item.kind === "file" ? bytes(item.size) : ""}
                    </Table.Td>
                    <Table.Td fz="xs">{item.modified_at && <RelativeTime at={item.modified_at} />}</Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Text size="xs" c="dimmed" aria-live="polite">
        {shown.length === listing.data.items.length
          ? count(shown.length, "entry", "entries")
          : `${shown.length} of ${count(listing.data.items.length, "entry", "entries")}`}
        {listing.data.truncated && "; there are more than can be listed here, use the terminal to see them"}
      </Text>
    </Stack>
  );
}

function Crumbs({ path, onOpen }: { path: string; onOpen: (path: string) => void }) {
  const crumbs = crumbsOf(path);
  return (
    <Breadcrumbs separator="/" separatorMargin={4} aria-label="Directory">
      {crumbs.map((crumb, place) =>
        place === crumbs.length - 1 ? (
          <Text key={crumb.path} size="sm" ff="monospace" aria-current="location">
            {crumb.label}
          </Text>
        ) : (
          <Anchor
            key={crumb.path}
            component="button"
            type="button"
            size="sm"
            ff="monospace"
            onClick={() => onOpen(crumb.path)}
          >
            {place === 0 ? "root" : crumb.label}
          </Anchor>
        ),
      )}
    </Breadcrumbs>
  );
}

type EntryProps = { kind: keyof typeof ICONS; name: string; onOpen: (() => void) | undefined };

function Entry({ kind, name, onOpen }: EntryProps) {
  const Icon = ICONS[kind];
  const label = (
    <Group gap="sm" wrap="nowrap">
      <Icon size={16} aria-label={kind} />
      <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {name}
      </Text>
    </Group>
  );
  return onOpen ? (
    <UnstyledButton onClick={onOpen} w="100%">
      {label}
    </UnstyledButton>
  ) : (
    label
  );
}
