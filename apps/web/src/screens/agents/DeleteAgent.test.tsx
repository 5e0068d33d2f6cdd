import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { DeleteAgent } from "./DeleteAgent";
import type { AgentView } from "./types";

const agent = { id: "0198c0de-0000-7000-8000-000000000001", name: "Ada" } as AgentView;

it("an agent with a sprite is deleted only once somebody said what becomes of it", async () => {
  const asked: (string | null)[] = [];
  server.use(
    http.delete("*/api/v1/agents/:id", ({ request }) => {
      const sprite = new URL(request.url).searchParams.get("sprite");
      asked.push(sprite);
      if (sprite !== null) return new HttpResponse(null, { status: 204 });
      const problem = {
        type: "about:blank",
        title: "Conflict",
        status: 409,
        code: "sprite_exists",
        detail: "it has a sprite",
      };
      return HttpResponse.json({ ...problem, request_id: null, errors: [] }, { status: 409 });
    }),
  );
  const user = userEvent.setup();
  renderScreen(<DeleteAgent agent={agent} isOpen onClose={() => undefined} />);

  await user.click(await screen.findByRole("button", { name: "Delete" }));
  expect(await screen.findByText(/has a sprite with files in it/)).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Delete" }).disabled).toBe(true);
  await user.click(screen.getByRole("radio", { name: /Destroy the sprite/ }));
  await user.click(screen.getByRole("button", { name: "Delete agent and sprite" }));
  await waitFor(() => expect(asked).toEqual([null, "destroy"]));
});
