// "Sent" is said of what was sent.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { emptyTranscript } from "../../live/transcript";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import type { JobDetail } from "./job";
import { SteerJob } from "./SteerJob";

it("says that a word was sent once it was, and sends one that got no answer under the same key", async () => {
  const keys: (string | null)[] = [];
  const answers: ((response: Response) => void)[] = [];
  server.use(
    http.get("*/api/v1/agents/a", () => HttpResponse.json({ name: "Grace", steering: "steer" })),
    http.post("*/api/v1/work-items", ({ request }) => {
      keys.push(request.headers.get("idempotency-key"));
      return new Promise<Response>((resolve) => answers.push(resolve));
    }),
  );
  const job = { id: "j", agent_id: "a", conversation_id: "c" } as JobDetail;
  renderScreen(<SteerJob job={job} transcript={emptyTranscript("j")} />);
  const input = await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Say something to Grace" });
  await userEvent.type(input, "stop there{Enter}");
  await waitFor(() => expect(answers).toHaveLength(1));
  expect(screen.queryByText(/^Sent\./)).toBeNull();
  answers[0]?.(HttpResponse.error());
  await waitFor(() => expect(input.value).toBe("stop there"));
  expect(screen.queryByText(/^Sent\./)).toBeNull();

  await userEvent.type(input, "{Enter}");
  await waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.(HttpResponse.json({ id: "w" }, { status: 201 }));
  expect(await screen.findByText(/^Sent\. Grace reads it/)).toBeDefined();
  expect(keys[0]).toMatch(/./);
  expect(keys[1]).toBe(keys[0]);
});
