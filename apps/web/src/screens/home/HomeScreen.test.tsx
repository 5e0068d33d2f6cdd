import { screen, within } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { OverviewView } from "../../api/types";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { HomeScreen } from "./HomeScreen";

const AGENT = "0198c0de-0000-7000-8000-000000000010";

function overview(overrides: Partial<OverviewView> = {}): OverviewView {
  return {
    needs: { approvals: 0, failed_jobs: 0, dead_letters: 0, unknown_effects: 0 },
    running: [],
    agents: [
      {
        agent_id: AGENT,
        name: "Code reviewer",
        state: "idle",
        running_jobs: 0,
        queued_items: 0,
        spend_today_micros: 5_000_000,
        budget_micros_per_day: 5_000_000,
        last_active_at: null,
      },
    ],
    spend_today_micros: 5_000_000,
    integrations: [],
    sandbox: { backend: "local", tier: "landlock", missing: [] },
    queue: { queued_items: 0, oldest_wait_seconds: null, pending_effects: 0 },
    default_model: "demo/scripted",
    demo_model: true,
    ...overrides,
  };
}

function answer(view: OverviewView, open: { id: string; message: { text: string } }[] = []) {
  server.use(
    http.get("*/api/v1/overview", () => HttpResponse.json(view)),
    http.get("*/api/v1/work-items", () => HttpResponse.json({ items: open, next_cursor: null })),
  );
}

describe("home", () => {
  it("names what waits, and leads to the place where it is dealt with", async () => {
    answer(overview({ needs: { approvals: 2, failed_jobs: 0, dead_letters: 1, unknown_effects: 0 } }));
    renderScreen(<HomeScreen />);
    const needs = await screen.findByRole("region", { name: "What needs you" });
    const links = within(needs).getAllByRole("link");
    expect(links.map((link) => [link.textContent, link.getAttribute("href")])).toEqual([
      ["2 approvals to decide", "/approvals?status=pending"],
      ["1 dead letter", "/effects?status=failed"],
      ["Costs", "/costs"],
    ]);
  });

  it("asks nobody to decide who may not", async () => {
    answer(overview({ needs: { approvals: 1, failed_jobs: 0, dead_letters: 0, unknown_effects: 0 } }));
    renderScreen(<HomeScreen />, { session: session({ rights: { ...session().rights, approvals: "read" } }) });
    expect(await screen.findByRole("link", { name: "1 approval waits for somebody" })).toBeDefined();
  });

  it("leads to the failed jobs of the one agent they are of, and else to what got no answer", async () => {
    const needs = { approvals: 0, failed_jobs: 2, dead_letters: 0, unknown_effects: 0 };
    const now = new Date().toISOString();
    let failed = [
      { agent_id: "one", finished_at: now },
      { agent_id: "long-ago", finished_at: "2020-01-01T00:00:00Z" },
    ];
    answer(overview({ needs }));
    server.use(http.get("*/api/v1/jobs", () => HttpResponse.json({ items: failed, next_cursor: null })));
    const hrefs = async () =>
      (await screen.findAllByRole("link", { name: "2 jobs failed in 24 hours" })).map((link) =>
        link.getAttribute("href"),
      );
    const { unmount } = renderScreen(<HomeScreen />);
    await expect.poll(hrefs).toEqual(["/agents/one?tab=activity&status=failed"]);
    unmount();
    failed = [...failed, { agent_id: "two", finished_at: now }];
    renderScreen(<HomeScreen />);
    await expect.poll(hrefs).toEqual(["/inbox?status=failed"]);
  });

  it("says that nothing waits when nothing does, and that a budget is used up", async () => {
    answer(overview());
    renderScreen(<HomeScreen />);
    expect(await screen.findByText("Nothing waits for you.")).toBeDefined();
    expect(screen.getByText(/used up/)).toBeDefined();
  });

  it("says what was asked for of every job that runs", async () => {
    const item = "0198c0de-0000-7000-8000-000000000020";
    const job = { id: "0198c0de-0000-7000-8000-000000000030", work_item_id: item, agent_id: AGENT, status: "running" };
    const times = { created_at: "2026-11-23T12:00:00Z", started_at: "2026-11-23T12:00:01Z" };
    const running = [{ ...job, ...times, model: "demo/scripted", cost_micros: 0 }] as OverviewView["running"];
    answer(overview({ running }), [{ id: item, message: { text: "Where is\nmy parcel?" } }]);
    renderScreen(<HomeScreen />);
    const link = await screen.findByRole("link", { name: "Where is my parcel?" });
    expect(link.getAttribute("href")).toBe(`/jobs/${job.id}`);
  });

  it("offers the first agent to those who may create one, and to nobody else", async () => {
    answer(overview({ agents: [] }));
    const { unmount } = renderScreen(<HomeScreen />);
    expect(await screen.findByRole("link", { name: "Create an agent" })).toBeDefined();
    unmount();
    const rights = { ...session().rights, agents: "read" as const, costs: null };
    renderScreen(<HomeScreen />, { session: session({ role: "viewer", rights }) });
    expect(await screen.findByText("No agents yet")).toBeDefined();
    expect(screen.queryByRole("link", { name: "Create an agent" })).toBeNull();
    expect(screen.queryByText("spent today")).toBeNull();
  });

  it("says what failed, with the request id, and tries again", async () => {
    const refusal = { code: "unavailable", title: "Unavailable", detail: "the database is down", request_id: "req-7" };
    server.use(http.get("*/api/v1/overview", () => HttpResponse.json(refusal, { status: 500 }), { once: true }));
    renderScreen(<HomeScreen />);
    expect(await screen.findByText("The database is down.")).toBeDefined();
    expect(screen.getByText("req-7")).toBeDefined();
    answer(overview());
    screen.getByRole("button", { name: "Try again" }).click();
    expect(await screen.findByText("Nothing waits for you.")).toBeDefined();
  });
});
