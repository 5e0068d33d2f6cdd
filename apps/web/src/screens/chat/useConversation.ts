// What a conversation shows: its entries oldest first, what was sent and is not in them yet, and the jobs whose
// answer is not in them yet.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { $api, paging } from "../../api/client";
import type { components } from "../../api/schema";
import { sendOnce, unsent } from "../../api/sendOnce";
import type { ConversationEntryView } from "../../api/types";
import { notifyProblem } from "../../components/notify";
import { isOver } from "../jobs/job";

type Job = components["schemas"]["JobView"];
type Sending = { key: number; text: string; workItemId: string | null };

/** So long, in milliseconds, a job that is over may be ahead of the entry with its answer. */
const AHEAD = 60_000;

export function useConversation(id: string) {
  const path = { id };
  const conversation = $api.useQuery("get", "/api/v1/conversations/{id}", { params: { path } });
  const pages = $api.useInfiniteQuery(
    "get",
    "/api/v1/conversations/{id}/entries",
    { params: { path, query: { limit: 50 } } },
    paging,
  );
  const jobs = $api.useQuery("get", "/api/v1/jobs", { params: { query: { conversation_id: id, limit: 20 } } });
  const entries = useMemo(() => pages.data?.pages.flatMap((page) => page.items).reverse() ?? [], [pages.data]);
  const { sending, send } = useSend(id, conversation.data?.agent_id ?? null);
  const shown = new Set(entries.map((entry) => entry.work_item_id));
  return {
    conversation: conversation.data,
    entries,
    running: runningOf(jobs.data?.items ?? [], entries),
    sending: sending.filter((one) => one.workItemId === null || !shown.has(one.workItemId)),
    send,
    /** Whether there is something to show; a failure later does not take it away. */
    isLoaded: conversation.data !== undefined && pages.data !== undefined,
    error: conversation.error ?? pages.error,
    retry: () => void Promise.all([conversation.refetch(), pages.refetch()]),
    hasEarlier: pages.hasNextPage,
    isLoadingEarlier: pages.isFetchingNextPage,
    loadEarlier: () => void pages.fetchNextPage(),
  };
}

/** Oldest first. A job that just ended stays until its answer has taken its place, so that nothing blinks. */
export function runningOf(jobs: readonly Job[], entries: readonly ConversationEntryView[]): Job[] {
  const answered = new Set(entries.filter((entry) => entry.kind !== "message").map((entry) => entry.job_id));
  const isShown = (job: Job) =>
    !isOver(job.status) ||
    (!answered.has(job.id) && job.finished_at !== null && Date.now() - Date.parse(job.finished_at) < AHEAD);
  return jobs.filter(isShown).reverse();
}

function useSend(id: string, agentId: string | null) {
  const cache = useQueryClient();
  const create = $api.useMutation("post", "/api/v1/work-items");
  const [sending, setSending] = useState<readonly Sending[]>([]);
  const send = async (text: string) => {
    const key = Date.now();
    setSending((all) => [...all, { key, text, workItemId: null }]);
    try {
      const body = { text, conversation_id: id, ...(agentId !== null && { agent_ids: [agentId] }) };
      const item = await sendOnce(`conversation ${id}`, body, (init) => create.mutateAsync(init));
      setSending((all) => all.map((one) => (one.key === key ? { ...one, workItemId: item.id } : one)));
      void cache.invalidateQueries({ queryKey: ["get", "/api/v1/conversations/{id}/entries"] });
    } catch (error) {
      setSending((all) => all.filter((one) => one.key !== key));
      notifyProblem(unsent(error, "Your message was not sent"), error);
      throw error;
    }
  };
  return { sending, send };
}
