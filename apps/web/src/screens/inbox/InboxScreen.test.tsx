// The address of the inbox says what it shows.
import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { beforeEach, describe, expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { InboxScreen } from "./InboxScreen";

let asked: Record<string, string>[] = [];

beforeEach(() => {
  asked = [];
  const none = { items: [], next_cursor: null };
  server.use(
    http.get("*/api/v1/agents", () => HttpResponse.json(none)),
    http.get("*/api/v1/integrations", () => HttpResponse.json(none)),
    http.get("*/api/v1/work-items", ({ request }) => {
      asked.push(Object.fromEntries(new URL(request.url).searchParams));
      return HttpResponse.json(none);
    }),
  );
});

describe("the inbox", () => {
  it("asks for what the address says, and not for a status there is not", async () => {
    renderScreen(<InboxScreen />, { route: "/inbox", path: "/inbox?status=failed&text=deploy" });
    expect(await screen.findByText("Nothing matches")).toBeDefined();
    renderScreen(<InboxScreen />, { route: "/inbox", path: "/inbox?status=odd&text=deploy" });
    await screen.findAllByText("Nothing matches");
    expect(asked).toEqual([
      { limit: "50", status: "failed", text: "deploy" },
      { limit: "50", text: "deploy" },
    ]);
  });

  it("says what it will hold, and offers to hand in work only to those who may", async () => {
    renderScreen(<InboxScreen />, { route: "/inbox" });
    expect(await screen.findByText("Nothing has come in yet")).toBeDefined();
    expect(screen.getAllByRole("button", { name: "Hand in work" })).toHaveLength(2);
    const rights = { ...session().rights, work: "read" as const };
    const { container } = renderScreen(<InboxScreen />, { route: "/inbox", session: session({ rights }) });
    await screen.findAllByText("Nothing has come in yet");
    expect(container.querySelector("button")?.textContent ?? "").not.toContain("Hand in work");
  });
});
