import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccessView } from "../../api/types";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { LoginScreen } from "./LoginScreen";

const access: AccessView = {
  setup_required: false,
  password_login: true,
  oidc: null,
  demo_model: false,
  version: "0.1.0",
};

let sent: unknown[] = [];

function answerLogin() {
  server.use(
    http.post("*/api/v1/session", async ({ request }) => {
      const body = (await request.json()) as { password: string; code?: string };
      sent.push(body);
      if (body.password !== "a right password" || (body.code !== undefined && body.code !== "123456")) {
        return HttpResponse.json({ code: "invalid_credentials", detail: "no" }, { status: 401 });
      }
      if (body.code === undefined) {
        return HttpResponse.json({ code: "second_factor_required", detail: "no" }, { status: 401 });
      }
      return HttpResponse.json(session());
    }),
  );
}

async function enter(password: string) {
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText("E-mail"), "ada@example.com");
  await user.type(screen.getByLabelText("Password"), password);
  await user.click(screen.getByRole("button", { name: "Log in" }));
  return user;
}

beforeEach(() => {
  sent = [];
  answerLogin();
});

describe("the login", () => {
  it("asks for the second factor after the password, and takes the code as soon as it is whole", async () => {
    server.use(http.get("*/api/v1/access", () => HttpResponse.json(access)));
    renderScreen(<LoginScreen />, { route: "/login", above: true });
    const user = await enter("a right password");
    await user.click(await screen.findByLabelText("Digit 1"));
    await user.keyboard("123456");
    await expect.poll(() => sent).toHaveLength(2);
    expect(sent[1]).toEqual({ email: "ada@example.com", password: "a right password", code: "123456" });
  });

  it("says what is wrong without telling which of the two", async () => {
    server.use(http.get("*/api/v1/access", () => HttpResponse.json(access)));
    renderScreen(<LoginScreen />, { route: "/login", above: true });
    await enter("a wrong password");
    expect((await screen.findByRole("alert")).textContent).toBe("The e-mail address or the password is wrong.");
  });

  it("sends nothing before both are filled in", async () => {
    server.use(http.get("*/api/v1/access", () => HttpResponse.json(access)));
    renderScreen(<LoginScreen />, { route: "/login", above: true });
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Log in" }));
    expect(await screen.findByText("Enter your password.")).toBeDefined();
    expect(sent).toEqual([]);
  });

  it("leads to the company's issuer with the way back, and offers no password where there is none", async () => {
    const issuer = { ...access, password_login: false, oidc: { name: "Example SSO" } };
    server.use(http.get("*/api/v1/access", () => HttpResponse.json(issuer)));
    renderScreen(<LoginScreen />, { route: "/login", path: "/login?return_to=%2Fjobs%2F1", above: true });
    const link = await screen.findByRole("link", { name: "Continue with Example SSO" });
    expect(link.getAttribute("href")).toBe("/api/v1/oidc/login?return_to=%2Fjobs%2F1");
    expect(screen.queryByLabelText("Password")).toBeNull();
  });

  it.each([
    ["unknown_person", /strangers are not let in/],
    ["not_allowed", /no longer names you/],
    ["email_taken", /has your e-mail address already/],
    ["issuer_unavailable", /does not answer/],
    ["issuer_refused", /failed \(issuer_refused\)/],
  ])("says why the issuer sent the person back: %s", async (code, words) => {
    server.use(http.get("*/api/v1/access", () => HttpResponse.json(access)));
    renderScreen(<LoginScreen />, { route: "/login", path: `/login?error=${code}`, above: true });
    expect(await screen.findByText(words)).toBeDefined();
  });
});
