// Work that is handed in is typed once and done once.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { HandInWork } from "./HandInWork";

async function open() {
  await userEvent.click(await screen.findByRole("button", { name: "Hand in work" }));
  return await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "What is wanted" });
}

it("keeps what was typed over a closed dialog until it is handed in, and hands it in under one key", async () => {
  const keys: (string | null)[] = [];
  server.use(
    http.get("*/api/v1/agents", () => HttpResponse.json(pageOf())),
    http.post("*/api/v1/work-items", ({ request }) => {
      keys.push(request.headers.get("idempotency-key"));
      return keys.length === 1 ? HttpResponse.error() : HttpResponse.json({ id: "w" }, { status: 201 });
    }),
  );
  const { unmount } = renderScreen(<HandInWork />);
  await userEvent.type(await open(), "A long story");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect((await open()).value).toBe("A long story");
  await userEvent.click(screen.getByRole("button", { name: "Hand in" }));
  expect(await screen.findByText(/It may have been sent/)).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Hand in" }));
  await waitFor(() => expect(keys).toHaveLength(2));
  expect(keys[0]).toMatch(/./);
  expect(keys[1]).toBe(keys[0]);
  unmount();
  renderScreen(<HandInWork />);
  expect((await open()).value).toBe("");
});
