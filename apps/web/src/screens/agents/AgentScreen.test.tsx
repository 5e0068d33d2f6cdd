// Whoever looks at an agent keeps looking at it while the server cannot be reached.
import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { AT, pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { AgentScreen } from "./AgentScreen";
import type { AgentView } from "./types";

const GRACE = {
  id: "a",
  name: "Grace",
  instructions: "",
  model: null,
  tools: null,
  reply_policy: "auto",
  steering: "steer",
  budget_micros_per_day: null,
  enabled: true,
  archived_at: null,
  created_at: AT,
  updated_at: AT,
} as unknown as AgentView;

it("shows the agent below what failed", async () => {
  server.use(
    http.get("*/api/v1/agents/a", () => HttpResponse.json(GRACE)),
    http.get("*/api/v1/:list", () => HttpResponse.json({ ...pageOf(), agents: [] })),
  );
  const { queryClient } = renderScreen(<AgentScreen />, { route: "/agents/$id", path: "/agents/a" });
  const tab = await screen.findByRole("tab", { name: "Overview" });
  server.use(http.get("*/api/v1/agents/a", () => HttpResponse.json({}, { status: 500 })));
  await queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/agents/{id}"] });
  expect(await screen.findByText("This agent could not be loaded")).toBeDefined();
  expect(tab.isConnected).toBe(true);
});
