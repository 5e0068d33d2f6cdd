// Which answers a chat shows as being written.
import { describe, expect, it } from "vitest";
import type { ConversationEntryView } from "../../api/types";
import { runningOf } from "./useConversation";

type Job = Parameters<typeof runningOf>[0][number];

function job(id: string, status: Job["status"], finishedAgo: number | null = null): Job {
  const finished_at = finishedAgo === null ? null : new Date(Date.now() - finishedAgo).toISOString();
  const usage = { input: 0, output: 0, cache_read: 0, cache_write: 0 };
  const at = "2026-11-23T10:00:00Z";
  return {
    id,
    work_item_id: "w",
    agent_id: "a",
    conversation_id: "c",
    status,
    failure: null,
    model: "demo/scripted",
    attempt: 1,
    retry_of: null,
    parent_id: null,
    root_id: id,
    usage,
    cost_micros: 0,
    cancel_requested_at: null,
    created_at: at,
    started_at: at,
    finished_at,
  };
}

function reply(job_id: string): ConversationEntryView {
  return {
    kind: "reply",
    id: job_id,
    at: "2026-11-23T10:00:00Z",
    work_item_id: "w",
    job_id,
    job_status: "completed",
    agent_id: "a",
    author: null,
    text: "done",
    effect_id: null,
    effect_status: null,
  };
}

describe("answers being written", () => {
  it("are those of jobs that are not over, oldest first", () => {
    const jobs = [job("new", "running"), job("waits", "waiting"), job("old", "completed", 3_600_000)];
    expect(runningOf(jobs, []).map((one) => one.id)).toEqual(["waits", "new"]);
  });

  it("stay until the answer has taken their place", () => {
    const ended = job("ended", "completed", 500);
    expect(runningOf([ended], []).map((one) => one.id)).toEqual(["ended"]);
    expect(runningOf([ended], [reply("ended")])).toEqual([]);
  });
});
