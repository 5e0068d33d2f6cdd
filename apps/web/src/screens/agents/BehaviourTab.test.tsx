import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, expect, it } from "vitest";
import { agentView } from "../../testing/agent";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { BehaviourTab } from "./BehaviourTab";

let sent: Record<string, unknown>[] = [];
/** Lets the server answer. */
let answer: () => void = () => undefined;

beforeEach(() => {
  sent = [];
  let free: Promise<void> = Promise.resolve();
  server.use(
    http.get("*/api/v1/models", () => HttpResponse.json({ default_model: "demo/scripted", items: [] })),
    http.get("*/api/v1/tools", () => HttpResponse.json({ items: [] })),
    http.get("*/api/v1/users", () => HttpResponse.json({ items: [], next_cursor: null })),
    http.patch("*/api/v1/agents/:id", async ({ request }) => {
      const change = (await request.json()) as Record<string, unknown>;
      sent.push(change);
      await free;
      return HttpResponse.json(agentView({ ...change, updated_at: "2026-11-23T11:00:00Z" }));
    }),
  );
  free = new Promise((resolve) => {
    answer = resolve;
  });
});

it("takes a budget with decimals key by key", async () => {
  const user = userEvent.setup();
  renderScreen(<BehaviourTab agent={agentView()} />);
  const field = await screen.findByLabelText<HTMLInputElement>("Budget per day in US dollars");
  await user.clear(field);
  for (const [key, shown] of [
    ["0", "$0"],
    [".", "$0."],
    ["5", "$0.5"],
    ["0", "$0.50"],
  ] as const) {
    await user.type(field, key);
    expect(field.value).toBe(shown);
  }
  await user.keyboard("{Enter}");
  await expect.poll(() => sent).toEqual([{ budget_micros_per_day: 500_000 }]);
});

it("keeps what is typed while it is saved, and takes the rest from the server", async () => {
  const user = userEvent.setup();
  renderScreen(<BehaviourTab agent={agentView()} />);
  const name = await screen.findByLabelText<HTMLInputElement>(/^Name/);
  await user.type(name, " L. {Enter}");
  await expect.poll(() => sent).toEqual([{ name: "Ada L." }]);
  const budget = screen.getByLabelText<HTMLInputElement>("Budget per day in US dollars");
  await user.clear(budget);
  await user.type(budget, "7");
  answer();
  await expect.poll(() => name.value).toBe("Ada L.");
  expect(budget.value).toBe("$7");
  await user.click(screen.getByRole("button", { name: "Save changes" }));
  await expect.poll(() => sent.at(-1)).toEqual({ budget_micros_per_day: 7_000_000 });
});
