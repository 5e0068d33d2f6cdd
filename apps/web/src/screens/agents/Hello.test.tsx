// A first hello that got no answer is sent again as the same one.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { conversation, pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import Hello from "./Hello";
import type { AgentTemplate } from "./templates";
import type { AgentView } from "./types";

it("is said once, in one conversation", async () => {
  const keys: Record<string, (string | null)[]> = { conversations: [], "work-items": [] };
  server.use(
    http.get("*/api/v1/conversations/:id/entries", () => HttpResponse.json(pageOf())),
    http.post("*/api/v1/:what", ({ request, params }) => {
      const all = keys[String(params.what)] ?? [];
      all.push(request.headers.get("idempotency-key"));
      return all.length === 1 ? HttpResponse.error() : HttpResponse.json(conversation({ id: "c" }), { status: 201 });
    }),
  );
  const agent = { id: "a", name: "Grace" } as AgentView;
  renderScreen(<Hello agent={agent} template={{ hello: "Good morning" } as AgentTemplate} />);
  const send = await screen.findByRole("button", { name: "Send" });
  for (const [conversations, items] of [
    [1, 0],
    [2, 1],
    [2, 2],
  ]) {
    await userEvent.click(send);
    await waitFor(() =>
      expect([keys.conversations?.length, keys["work-items"]?.length]).toEqual([conversations, items]),
    );
    await waitFor(() => expect(send.hasAttribute("data-loading")).toBe(false));
  }
  for (const [first, second] of Object.values(keys)) {
    expect(first).toMatch(/./);
    expect(second).toBe(first);
  }
});
