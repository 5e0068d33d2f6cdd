// An entry has an address, so that one person can show it to another.
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import type { AuditEntryView } from "../../api/types";
import { AT, pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { AuditScreen } from "./AuditScreen";

function entry(seq: number, action: string): AuditEntryView {
  return {
    seq,
    at: AT,
    actor: { kind: "user", id: "u", name: "Ada" },
    action,
    subject: { kind: "agent", id: "a", name: "Grace" },
    address: null,
    request_id: null,
    before: null,
    after: null,
    hash: "0123456789abcdef",
  } as AuditEntryView;
}

it("opens the entry of the address, and does not ask for it as a filter", async () => {
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/users", () => HttpResponse.json(pageOf())),
    http.get("*/api/v1/audit", ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json(pageOf(entry(8, "agent.created"), entry(7, "agent.updated")));
    }),
    http.get("*/api/v1/audit/7", () => HttpResponse.json(entry(7, "agent.updated"))),
  );
  renderScreen(<AuditScreen />, { route: "/audit", path: '/audit?subject_id=a&id="7"' });
  const drawer = await screen.findByRole("dialog", { name: "Agent updated" });
  await userEvent.click(within(drawer).getByRole("button", { name: "Close" }));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  const [row] = await screen.findAllByRole("button", { name: /Agent created/ });
  if (row) await userEvent.click(row);
  expect(await screen.findByRole("dialog", { name: "Agent created" })).toBeDefined();
  expect(asked).toEqual(["?limit=50&subject_id=a"]);
});

it("asks for an entry that is not among the newest", async () => {
  server.use(
    http.get("*/api/v1/users", () => HttpResponse.json(pageOf())),
    http.get("*/api/v1/audit", () => HttpResponse.json(pageOf(entry(80, "agent.created")))),
    http.get("*/api/v1/audit/7", () => HttpResponse.json(entry(7, "agent.updated"))),
    http.get("*/api/v1/audit/9", () => HttpResponse.json({ title: "No such audit entry" }, { status: 404 })),
  );
  const { unmount } = renderScreen(<AuditScreen />, { route: "/audit", path: '/audit?id="7"' });
  expect(await screen.findByRole("dialog", { name: "Agent updated" })).toBeDefined();
  unmount();
  renderScreen(<AuditScreen />, { route: "/audit", path: '/audit?id="9"' });
  const missing = await screen.findByRole("dialog", { name: "Entry" });
  expect(await within(missing).findByText("The entry could not be loaded")).toBeDefined();
});
