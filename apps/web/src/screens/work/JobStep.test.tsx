// A step of the story says what it could not find out.
import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import type { components } from "../../api/schema";
import { AT, pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { JobStep } from "./JobStep";

const JOB: components["schemas"]["JobView"] = {
  id: "j",
  work_item_id: "w",
  agent_id: "a",
  conversation_id: "c",
  status: "running",
  failure: null,
  model: "demo/scripted",
  attempt: 1,
  retry_of: null,
  parent_id: null,
  root_id: "j",
  usage: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
  cost_micros: 0,
  cancel_requested_at: null,
  created_at: AT,
  started_at: AT,
  finished_at: null,
};

it("says that its tool calls could not be listed", async () => {
  server.use(
    http.get("*/api/v1/jobs/j", () =>
      HttpResponse.json({ ...JOB, effects: [], tool_call_count: 0, model_call_count: 0 }),
    ),
    http.get("*/api/v1/jobs/j/tool-calls", () => HttpResponse.json({}, { status: 500 })),
    http.get("*/api/v1/:list", () => HttpResponse.json(pageOf())),
  );
  renderScreen(<JobStep job={JOB} />);
  expect(await screen.findByText("Its tool calls could not be listed")).toBeDefined();
  expect(screen.getByRole("link", { name: "Watch it live" })).toBeDefined();
});
