import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { agentView } from "../../testing/agent";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { InstructionsTab } from "./InstructionsTab";

it("keeps what is typed while it is saved, and says that this is not saved", async () => {
  const sent: unknown[] = [];
  let answer: () => void = () => undefined;
  const free = new Promise<void>((resolve) => {
    answer = resolve;
  });
  server.use(
    http.patch("*/api/v1/agents/:id", async ({ request }) => {
      const change = (await request.json()) as { instructions: string };
      sent.push(change);
      await free;
      return HttpResponse.json(agentView(change));
    }),
  );
  const user = userEvent.setup();
  renderScreen(<InstructionsTab agent={agentView()} />);
  const field = await screen.findByLabelText<HTMLTextAreaElement>("Instructions of Ada");
  await user.type(field, " Ask first.");
  await user.click(screen.getByRole("button", { name: "Save instructions" }));
  await expect.poll(() => sent).toEqual([{ instructions: "Be brief. Ask first." }]);
  await user.type(field, " Always.");
  answer();
  const save = screen.getByRole("button", { name: "Save instructions" });
  await expect.poll(() => save.hasAttribute("data-loading")).toBe(false);
  expect(field.value).toBe("Be brief. Ask first. Always.");
  expect(screen.getByText(/not saved/)).toBeDefined();
  await user.click(save);
  await expect.poll(() => sent.at(-1)).toEqual({ instructions: "Be brief. Ask first. Always." });
});
