// A second answer is sent only when a person says so.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import type { JobDetail } from "./job";
import { RetryJob } from "./RetryJob";

const AT = "2026-11-23T10:00:00Z";
const ID = "0198c0de-0000-7000-8000-000000000001";

function job(effects: JobDetail["effects"], status: JobDetail["status"]): JobDetail {
  return {
    id: ID,
    work_item_id: ID,
    agent_id: ID,
    conversation_id: ID,
    status,
    failure: null,
    model: "demo/scripted",
    attempt: 1,
    retry_of: null,
    parent_id: null,
    root_id: ID,
    usage: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
    cost_micros: 0,
    cancel_requested_at: null,
    created_at: AT,
    started_at: AT,
    finished_at: AT,
    tool_call_count: 0,
    model_call_count: 0,
    effects,
  };
}

const reply: JobDetail["effects"][number] = {
  id: ID,
  job_id: ID,
  slot: "reply",
  integration_id: ID,
  conversation_id: ID,
  action: { kind: "reply", markdown: "done", reply_to: null },
  status: "sent",
  dead_reason: null,
  detail: null,
  attempts: 1,
  next_attempt_at: AT,
  expires_at: AT,
  provider_reference: null,
  created_at: AT,
  settled_at: AT,
};

describe("trying a job again", () => {
  it("goes on after the last turn of a job that failed, and asks nothing about answers", async () => {
    const asked: unknown[] = [];
    server.use(
      http.post("*/api/v1/jobs/:id/retry", async ({ request }) => {
        asked.push(await request.json());
        return HttpResponse.json(job([], "queued"), { status: 201 });
      }),
    );
    renderScreen(<RetryJob job={job([], "failed")} />);
    await userEvent.click(await screen.findByRole("button", { name: "Retry" }));
    expect(screen.queryByRole("checkbox")).toBeNull();
    await userEvent.click(await screen.findByRole("button", { name: "Try again" }));
    expect(asked).toEqual([{ from: "last_turn", reply_again: false }]);
  });

  it("offers a second answer where one was sent, and shows why the server refused", async () => {
    const asked: unknown[] = [];
    server.use(
      http.post("*/api/v1/jobs/:id/retry", async ({ request }) => {
        asked.push(await request.json());
        const problem = {
          code: "conflict",
          title: "Conflict",
          detail: "the lane works on something else",
          status: 409,
        };
        return HttpResponse.json(problem, { status: 409 });
      }),
    );
    renderScreen(<RetryJob job={job([reply], "completed")} />);
    await userEvent.click(await screen.findByRole("button", { name: "Retry" }));
    await userEvent.click(await screen.findByRole("checkbox", { name: "Answer a second time" }));
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect((await screen.findByRole("alert")).textContent).toContain("The lane works on something else.");
    expect(asked).toEqual([{ from: "start", reply_again: true }]);
  });
});
