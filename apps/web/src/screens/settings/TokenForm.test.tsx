// A token must carry what was chosen and nothing else, and is shown once.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { TokenForm } from "./TokenForm";

it("sends the chosen scopes alone and shows the token once", async () => {
  const sent: Record<string, unknown>[] = [];
  server.use(
    http.post("*/api/v1/tokens", async ({ request }) => {
      const body = (await request.json()) as Record<string, unknown>;
      sent.push(body);
      return HttpResponse.json(
        { ...body, id: "0198c0de-0000-7000-8000-000000000001", token: "njt_secret" },
        { status: 201 },
      );
    }),
  );
  renderScreen(<TokenForm onClose={() => undefined} />);
  await userEvent.type(await screen.findByRole("textbox", { name: "Name" }), "nightly report");
  await userEvent.click(screen.getByRole("button", { name: "Make token" }));
  expect(await screen.findByText(/Choose at least one area/)).toBeTruthy();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: /^Costs/ }), "Read");
  await userEvent.click(screen.getByRole("button", { name: "Make token" }));
  expect(await screen.findByText("njt_secret")).toBeTruthy();
  await waitFor(() =>
    expect(sent).toEqual([
      expect.objectContaining({ name: "nightly report", kind: "personal", scopes: ["costs:read"] }),
    ]),
  );
  expect(sent[0]).not.toHaveProperty("role");
  expect(Date.parse(String(sent[0]?.expires_at))).toBeGreaterThan(Date.now() + 89 * 24 * 3_600_000);
});
