import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { NewIntegrationScreen } from "./NewIntegrationScreen";

const id = "0198c0de-0000-7000-8000-000000000001";
const integration = {
  id,
  type: "telegram",
  name: "Telegram bot",
  config: { mode: "polling", api_base_url: "https://api.telegram.org", allowed_chat_ids: null, allow_bots: false },
  secrets: { bot_token: true, webhook_secret: true },
  agent_ids: null,
  enabled: true,
  health: "unknown",
  health_detail: null,
  created_at: "2026-11-23T10:00:00Z",
  updated_at: "2026-11-23T10:00:00Z",
};

it("a refused token leads back to its step, and a good one to a test that ends with a greeting", async () => {
  const sent: { config: Record<string, unknown> }[] = [];
  server.use(
    http.get("*/api/v1/agents", () => HttpResponse.json({ items: [], next_cursor: null })),
    http.get("*/api/v1/work-items", () => HttpResponse.json({ items: [], next_cursor: null })),
    http.get("*/api/v1/integrations/:id", () => HttpResponse.json(integration)),
    http.post("*/api/v1/integrations/:id/test", () =>
      HttpResponse.json({ health: "ok", account: "@support_bot", detail: null }),
    ),
    http.post("*/api/v1/integrations", async ({ request }) => {
      const body = (await request.json()) as { config: Record<string, unknown> };
      sent.push(body);
      if (body.config.bot_token !== "bad") return HttpResponse.json(integration, { status: 201 });
      const errors = [{ field: "config.bot_token", message: "must be the token @BotFather shows" }];
      const problem = {
        type: "about:blank",
        title: "Unprocessable",
        status: 422,
        code: "validation_failed",
        detail: "x",
      };
      return HttpResponse.json({ ...problem, request_id: null, errors }, { status: 422 });
    }),
  );
  const user = userEvent.setup();
  renderScreen(<NewIntegrationScreen />, { route: "/integrations/new" });

  const token = () => screen.findByLabelText(/^Bot token/);
  fireEvent.change(await token(), { target: { value: "bad" } });
  await user.click(screen.getByText("Go on"));
  await user.click(screen.getByText("Connect and test"));
  expect(await screen.findByText("Must be the token @BotFather shows")).toBeTruthy();

  fireEvent.change(await token(), { target: { value: "1:good" } });
  await user.click(screen.getByText("Go on"));
  await user.click(screen.getByText("Connect and test"));
  expect(await screen.findByText("Connected to Telegram as @support_bot.")).toBeTruthy();
  expect(screen.getByRole("link", { name: /Say hello/ }).getAttribute("href")).toBe("https://t.me/support_bot");
  expect(sent.map((body) => body.config)).toEqual([{ bot_token: "bad" }, { bot_token: "1:good" }]);
});
