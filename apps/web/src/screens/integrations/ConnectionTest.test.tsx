// What a test said is about the settings it was made with.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { useState } from "react";
import { expect, it } from "vitest";
import { AT, pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { ConnectionTest } from "./ConnectionTest";
import type { IntegrationView } from "./types";

const BOT: IntegrationView = {
  id: "0198c0de-0000-7000-8000-000000000001",
  type: "telegram",
  name: "Bot",
  config: {},
  secrets: {},
  agent_ids: null,
  enabled: true,
  health: "failed",
  health_detail: "the token is wrong",
  created_at: AT,
  updated_at: AT,
};

function Screen() {
  const [bot, setBot] = useState(BOT);
  const healthy = { ...bot, health: "ok", health_detail: null } as const;
  return (
    <>
      <ConnectionTest integration={bot} onEnable={() => undefined} />
      <button type="button" onClick={() => setBot({ ...healthy, updated_at: "2026-11-23T11:00:00Z" })}>
        Correct it
      </button>
    </>
  );
}

it("forgets what a test said when the settings were corrected after it", async () => {
  const refused = { health: "failed", detail: "the token is wrong", account: null, latency_ms: 12 };
  server.use(
    http.get("*/api/v1/work-items", () => HttpResponse.json(pageOf())),
    http.post("*/api/v1/integrations/:id/test", () => HttpResponse.json(refused)),
  );
  renderScreen(<Screen />);
  await userEvent.click(await screen.findByRole("button", { name: "Test the connection" }));
  expect(await screen.findByRole("button", { name: "Test again" })).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Correct it" }));
  expect(await screen.findByRole("button", { name: "Test the connection" })).toBeDefined();
  expect(screen.queryByText(/token is wrong/)).toBeNull();
});
