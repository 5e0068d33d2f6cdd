// What is offered to members and admins is what the server lets them do to a sprite.
import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { beforeEach, expect, it } from "vitest";
import { agentView } from "../../../testing/agent";
import { renderScreen } from "../../../testing/render";
import { server } from "../../../testing/server";
import { session } from "../../../testing/session";
import type { SpritePart } from "../agentSearch";
import type { SpriteView } from "../types";
import { SpriteTab } from "./SpriteTab";

const at = "2026-11-23T10:00:00Z";

const SPRITE: SpriteView = {
  backend: "local",
  checkpoints: [{ id: "cp-1", comment: "Before", automatic: false, bytes: 1, created_at: at }],
  disk_bytes: null,
  disk_limit_bytes: null,
  missing: [],
  network_policy: { rules: [], otherwise: "allow" },
  processes: [
    {
      id: "0198c0de-0000-7000-8000-000000000002",
      conversation_id: "0198c0de-0000-7000-8000-000000000003",
      job_id: "0198c0de-0000-7000-8000-000000000004",
      command: "npm run dev",
      status: "running",
      exit_code: null,
      created_at: at,
      ended_at: null,
    },
  ],
  provisioned: true,
  services: [],
  sessions: [],
  status: "running",
  tier: null,
};

beforeEach(() => server.use(http.get("*/api/v1/agents/:id/sprite", () => HttpResponse.json(SPRITE))));

function show(part: SpritePart, sprites: "operate" | "administer") {
  const rights = { ...session().rights, sprites };
  const tab = <SpriteTab agent={agentView()} place={{ part }} onPlace={() => undefined} />;
  return renderScreen(tab, { session: session({ rights }) });
}

it("members run commands, but stop no process and change no checkpoint", async () => {
  const terminal = show("terminal", "operate");
  expect(await screen.findByRole("button", { name: "Run" })).toBeDefined();
  terminal.unmount();
  const running = show("running", "operate");
  await screen.findByText("npm run dev");
  expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
  running.unmount();
  show("checkpoints", "operate");
  await screen.findByText("Before");
  for (const name of ["Keep the files as they are now", "Restore", "Delete"])
    expect(screen.queryByRole("button", { name })).toBeNull();
});

it("admins do both", async () => {
  const running = show("running", "administer");
  expect(await screen.findByRole("button", { name: "Stop" })).toBeDefined();
  running.unmount();
  show("checkpoints", "administer");
  for (const name of ["Keep the files as they are now", "Restore", "Delete"])
    expect(await screen.findByRole("button", { name })).toBeDefined();
});
