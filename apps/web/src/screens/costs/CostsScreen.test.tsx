// One answer that did not come takes the others away from nobody.
import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { CostsScreen } from "./CostsScreen";

it("shows what it knows below what failed", async () => {
  const none = { items: [], total_micros: 0 };
  server.use(
    http.get("*/api/v1/costs", () => HttpResponse.json(none)),
    http.get("*/api/v1/costs/outcomes", () => HttpResponse.json({}, { status: 500 })),
  );
  renderScreen(<CostsScreen />, { route: "/costs" });
  expect(await screen.findByText("The costs could not be loaded")).toBeDefined();
  expect((await screen.findAllByRole("heading", { level: 2 })).length).toBeGreaterThan(0);
});
