import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { RetentionSection } from "./RetentionSection";

const RETENTION = { tool_output_days: 105, event_days: 30, transcript_days: null };

it("a period keeps its other digits when the first is taken away", async () => {
  const sent: unknown[] = [];
  server.use(
    http.get("*/api/v1/settings/retention", () => HttpResponse.json(RETENTION)),
    http.put("*/api/v1/settings/retention", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(sent.at(-1) as object);
    }),
  );
  const user = userEvent.setup();
  renderScreen(<RetentionSection />);
  const field = await screen.findByLabelText<HTMLInputElement>("Output of tools");
  await user.click(field);
  field.setSelectionRange(0, 0);
  await user.keyboard("{Delete}");
  expect(field.value).toBe("05 days");
  await user.keyboard("{Enter}");
  await expect.poll(() => sent).toEqual([{ ...RETENTION, tool_output_days: 5 }]);
});
