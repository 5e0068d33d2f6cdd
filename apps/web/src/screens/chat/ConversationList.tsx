// Chats on the web, the one that moved last first.
import { Button, Stack, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { $api, paging } from "../../api/client";
import { useAgentNames, useWebIntegration } from "../../api/names";
import { ErrorState } from "../../components/ErrorState";
import { ButtonLink } from "../../components/Links";
import { RelativeTime } from "../../components/RelativeTime";
import { ListSkeleton } from "../../components/Skeletons";
import classes from "./ChatScreen.module.css";

export function ConversationList({ selected }: { selected: string | null }) {
  const agents = useAgentNames();
  // Threads on other channels are read in the inbox; answering them from here would look like the agent's own word.
  // They are not asked for either, because many of them would hide the chats behind pages of nothing.
  const web = useWebIntegration();
  const query = { limit: 50, ...(web ? { integration_id: web } : {}) };
  const pages = $api.useInfiniteQuery(
    "get",
    "/api/v1/conversations",
    { params: { query } },
    { ...paging, enabled: web !== undefined },
  );
  if (pages.isPending) return <ListSkeleton rows={5} />;
  const items = pages.data?.pages.flatMap((page) => page.items).filter((one) => one.type === "web") ?? [];
  return (
    <Stack gap={4}>
      <ButtonLink
        to="/chat"
        variant="default"
        leftSection={<IconPlus size={14} aria-hidden />}
        mb={4}
        className={classes.new}
      >
        New chat
      </ButtonLink>
      {pages.error !== null && (
        <ErrorState error={pages.error} title="The chats could not be loaded" retry={() => void pages.refetch()} />
      )}
      {items.length === 0 && pages.error === null && (
        <Text size="sm" c="dimmed">
          Your chats with agents will be listed here.
        </Text>
      )}
      {items.map((one) => {
        const name = one.agent_id === null ? "Every agent" : (agents.get(one.agent_id) ?? "Agent");
        return (
          <Link
            key={one.id}
            to="/chat/$conversationId"
            params={{ conversationId: one.id }}
            className={classes.entry}
            data-selected={one.id === selected || undefined}
            aria-current={one.id === selected ? "page" : undefined}
          >
            <span className={classes.name}>{one.title ?? (one.agent_id === null ? "Work handed in" : name)}</span>
            <Text component="span" size="xs" c="dimmed">
              {name} · <RelativeTime at={one.last_activity_at} />
            </Text>
          </Link>
        );
      })}
      {pages.hasNextPage && (
        <Button
          variant="subtle"
          color="gray"
          loading={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Stack>
  );
}
