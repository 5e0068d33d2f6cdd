// Sending something twice cannot be taken back: the choices about an unknown effect are tested with the requests
// they make.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { EffectDrawer } from "./EffectDrawer";
import type { EffectView } from "./standing";

const EFFECT: EffectView = {
  id: "0198c0de-0000-7000-8000-000000000001",
  job_id: "0198c0de-0000-7000-8000-000000000002",
  slot: "reply",
  integration_id: "0198c0de-0000-7000-8000-000000000003",
  conversation_id: "0198c0de-0000-7000-8000-000000000004",
  action: { kind: "reply", markdown: "Hello", reply_to: null },
  status: "unknown",
  dead_reason: null,
  detail: null,
  attempts: 1,
  next_attempt_at: "2026-11-23T10:00:00Z",
  expires_at: "2026-11-24T10:00:00Z",
  provider_reference: null,
  created_at: "2026-11-23T10:00:00Z",
  settled_at: null,
};

function drawer(effect: EffectView | undefined) {
  return <EffectDrawer id={EFFECT.id} loaded={effect} integration="Support bot" onClose={() => undefined} />;
}

it("asks once more before it sends what may have arrived", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post(`*/api/v1/effects/${EFFECT.id}/release`, async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ ...EFFECT, status: "pending" });
    }),
  );
  renderScreen(drawer(EFFECT));
  await userEvent.click(await screen.findByRole("button", { name: "It is not there: send again" }));
  expect(sent).toEqual([]);
  await userEvent.click(await screen.findByRole("button", { name: "Send again" }));
  await waitFor(() => expect(sent).toEqual([{ resolve: "resend" }]));
});

it("asks the server for an effect that a link names and the list does not hold", async () => {
  server.use(http.get(`*/api/v1/effects/${EFFECT.id}`, () => HttpResponse.json(EFFECT)));
  renderScreen(drawer(undefined));
  expect(await screen.findByText("Nobody knows whether it arrived")).toBeTruthy();
});

it("offers nothing to who may only look", async () => {
  const owner = session();
  renderScreen(drawer(EFFECT), { session: session({ rights: { ...owner.rights, effects: "read" } }) });
  expect(await screen.findByText("Nobody knows whether it arrived")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /mark as sent/ })).toBeNull();
});
