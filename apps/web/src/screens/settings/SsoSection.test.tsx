// Who may come in is for owners: others look, and what is saved is what was typed.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { SsoSection } from "./SsoSection";

const OIDC = {
  name: "Company login",
  issuer: "https://login.example.com",
  client_id: "nitejar",
  scopes: ["openid", "email"],
  role_claim: "groups",
  roles: { ops: "admin" },
  default_role: null,
  link_by_email: true,
};

function answer() {
  const sent: unknown[] = [];
  server.use(
    http.get("*/api/v1/about", () => HttpResponse.json({ public_url: "https://jar.example" })),
    http.get("*/api/v1/settings/oidc", () => HttpResponse.json(OIDC)),
    http.put("*/api/v1/settings/oidc", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(OIDC);
    }),
  );
  return sent;
}

it("tells an owner the redirect address and saves without a secret that was not typed", async () => {
  const sent = answer();
  renderScreen(<SsoSection />);
  expect(await screen.findByText("https://jar.example/api/v1/oidc/callback")).toBeDefined();
  await userEvent.setup().click(await screen.findByRole("button", { name: "Save single sign-on" }));
  await expect.poll(() => sent).toEqual([OIDC]);
});

it("lets an admin look and not change", async () => {
  answer();
  renderScreen(<SsoSection />, { session: session({ role: "admin" }) });
  const issuer = await screen.findByLabelText<HTMLInputElement>("Issuer");
  expect(issuer.value).toBe("https://login.example.com");
  expect(issuer.closest("fieldset")?.disabled).toBe(true);
  expect(screen.queryByRole("button", { name: "Save single sign-on" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Turn off" })).toBeNull();
});
