import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterEach, describe, expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { WelcomeScreen } from "./WelcomeScreen";

const expires_at = "2026-12-23T10:00:00Z";

function open(hash: string) {
  window.history.replaceState(null, "", `/welcome${hash}`);
  renderScreen(<WelcomeScreen />, { route: "/welcome", above: true });
}

afterEach(() => window.history.replaceState(null, "", "/"));

describe("a link that lets somebody in", () => {
  it("leaves the address bar at once, and makes the owner with what was typed", async () => {
    let sent: unknown = null;
    server.use(
      http.post("*/api/v1/links/inspect", () =>
        HttpResponse.json({ kind: "setup", email: null, role: null, expires_at }),
      ),
      http.post("*/api/v1/links/redeem", async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json(session());
      }),
    );
    open("#token=a-token");
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText("Your name"), "Ada Lovelace");
    expect(window.location.hash).toBe("");
    await user.type(screen.getByLabelText("E-mail"), "ada@example.com");
    await user.type(screen.getByLabelText("Password"), "short");
    await user.type(screen.getByLabelText("The same again"), "short");
    await user.click(screen.getByRole("button", { name: "Create the owner" }));
    expect(await screen.findByText(/Use at least 10 characters/)).toBeDefined();
    expect(sent).toBeNull();
    await user.type(screen.getByLabelText("Password"), " but longer now");
    await user.type(screen.getByLabelText("The same again"), " but longer now");
    await user.click(screen.getByRole("button", { name: "Create the owner" }));
    await expect
      .poll(() => sent)
      .toEqual({
        token: "a-token",
        name: "Ada Lovelace",
        email: "ada@example.com",
        password: "short but longer now",
      });
  });

  it("for a new password asks for nothing else", async () => {
    server.use(
      http.post("*/api/v1/links/inspect", () =>
        HttpResponse.json({ kind: "reset", email: "ada@example.com", role: null, expires_at }),
      ),
    );
    open("#token=a-token");
    expect(await screen.findByRole("button", { name: "Set the password and log in" })).toBeDefined();
    expect(screen.queryByLabelText("Your name")).toBeNull();
    expect(screen.queryByLabelText("E-mail")).toBeNull();
  });

  it("that was used says so, and where a new one comes from", async () => {
    server.use(
      http.post("*/api/v1/links/inspect", () =>
        HttpResponse.json({ code: "link_unknown", detail: "x" }, { status: 404 }),
      ),
    );
    open("#token=a-token");
    expect(await screen.findByText("This link does not work any more")).toBeDefined();
    expect(screen.getByText(/nitejar user reset-link/)).toBeDefined();
  });

  it("asks for the second factor of who has one", async () => {
    const sent: unknown[] = [];
    server.use(
      http.post("*/api/v1/links/inspect", () =>
        HttpResponse.json({ kind: "reset", email: "ada@example.com", role: null, expires_at }),
      ),
      http.post("*/api/v1/links/redeem", async ({ request }) => {
        const body = (await request.json()) as { code?: string };
        sent.push(body.code);
        if (body.code === "123456") return HttpResponse.json(session());
        const code = body.code === undefined ? "second_factor_required" : "invalid_credentials";
        return HttpResponse.json({ code, detail: "no" }, { status: 401 });
      }),
    );
    open("#token=a-token");
    const user = userEvent.setup();
    const button = await screen.findByRole("button", { name: "Set the password and log in" });
    await user.type(screen.getByLabelText("New password"), "long enough now");
    await user.type(screen.getByLabelText("The same again"), "long enough now");
    await user.click(button);
    await user.type(await screen.findByLabelText("Code"), "000000");
    await user.click(button);
    expect(await screen.findByText(/The code is wrong/)).toBeDefined();
    await user.clear(screen.getByLabelText("Code"));
    await user.type(screen.getByLabelText("Code"), "123456");
    await user.click(button);
    await expect.poll(() => sent).toEqual([undefined, "000000", "123456"]);
  });

  it("that is missing on a server without an owner leads to the terminal", async () => {
    const access = { setup_required: true, password_login: true, oidc: null, demo_model: true, version: "0.1.0" };
    server.use(http.get("*/api/v1/access", () => HttpResponse.json(access)));
    open("");
    expect(await screen.findByText("This server has no owner yet")).toBeDefined();
    expect(screen.getByText("setup.link")).toBeDefined();
  });
});
