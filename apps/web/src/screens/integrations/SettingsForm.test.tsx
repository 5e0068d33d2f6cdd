import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { channelOf } from "./channelTypes";
import { SettingsForm } from "./SettingsForm";
import type { IntegrationView } from "./types";

const INTEGRATION: IntegrationView = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "telegram",
  name: "Telegram bot",
  config: {},
  secrets: { bot_token: true, webhook_secret: true },
  agent_ids: null,
  enabled: true,
  health: "ok",
  health_detail: null,
  created_at: "2026-11-23T10:00:00Z",
  updated_at: "2026-11-23T10:00:00Z",
};

let sent: object[] = [];
/** Lets the server answer. */
let answer: () => void = () => undefined;

beforeEach(() => {
  sent = [];
  const free = new Promise<void>((resolve) => {
    answer = resolve;
  });
  server.use(
    http.get("*/api/v1/agents", () => HttpResponse.json({ items: [], next_cursor: null })),
    http.patch("*/api/v1/integrations/:id", async ({ request }) => {
      const change = (await request.json()) as { name?: string };
      sent.push(change);
      await free;
      const { name = INTEGRATION.name } = change;
      return HttpResponse.json({ ...INTEGRATION, name, updated_at: `2026-11-23T10:00:0${sent.length}Z` });
    }),
  );
  renderScreen(<SettingsForm integration={INTEGRATION} channel={channelOf("telegram")} />);
});

async function saved() {
  const save = screen.getByRole("button", { name: "Save settings" });
  await expect.poll(() => save.hasAttribute("data-loading")).toBe(false);
}

it("keeps what is typed while it is saved, the focus too, and sends it with the next saving", async () => {
  const user = userEvent.setup();
  const name = await screen.findByLabelText<HTMLInputElement>("Name");
  await user.click(screen.getByRole("button", { name: "Replace bot token" }));
  await user.type(screen.getByLabelText("New bot token"), "1:one");
  await user.click(screen.getByText("More settings"));
  await user.type(name, " 2{Enter}");
  await expect.poll(() => sent).toEqual([{ name: "Telegram bot 2", config: { bot_token: "1:one" } }]);
  const address = screen.getByLabelText<HTMLInputElement>("Address of the Bot API");
  await user.clear(address);
  await user.type(address, "https://bots.example");
  answer();
  await saved();
  expect(document.activeElement).toBe(address);
  expect(address.value).toBe("https://bots.example");
  await user.click(screen.getByRole("button", { name: "Save settings" }));
  await expect.poll(() => sent.at(-1)).toEqual({ config: { api_base_url: "https://bots.example" } });
});

it("folds a secret away once it is saved", async () => {
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Replace bot token" }));
  await user.type(screen.getByLabelText("New bot token"), "1:one{Enter}");
  answer();
  expect(await screen.findByRole("button", { name: "Replace bot token" })).toBeDefined();
});
