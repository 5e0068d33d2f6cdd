import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { NewAgentScreen } from "./NewAgentScreen";

const taken = {
  type: "about:blank",
  title: "Conflict",
  status: 409,
  code: "name_taken",
  detail: "there is an agent named `Ada` already; choose another name",
  request_id: null,
  errors: [],
};

function answers(create: (body: Record<string, unknown>) => HttpResponse<object>) {
  server.use(
    http.get("*/api/v1/models", () => HttpResponse.json({ default_model: "demo/scripted", items: [] })),
    http.get("*/api/v1/tools", () => HttpResponse.json({ items: [] })),
    http.post("*/api/v1/agents", async ({ request }) => create((await request.json()) as Record<string, unknown>)),
  );
}

it("a name that is taken is told where the name is asked for, and a free one ends with a hello", async () => {
  const sent: unknown[] = [];
  answers((body) => {
    sent.push(body);
    if (body.name === "Ada") return HttpResponse.json(taken, { status: 409 });
    return HttpResponse.json({ ...body, id: "0198c0de-0000-7000-8000-000000000001" }, { status: 201 });
  });
  const user = userEvent.setup();
  renderScreen(<NewAgentScreen />, { route: "/agents/new" });

  await user.click(await screen.findByText("Go on"));
  await user.click(screen.getByText("Make Ada"));
  expect(await screen.findByText(/There is an agent named/)).toBeTruthy();
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: "Grace" } });
  await user.click(screen.getByText("Go on"));
  await user.click(screen.getByText("Make Grace"));

  expect(await screen.findByRole("heading", { name: "Say hello to Grace" })).toBeTruthy();
  expect(sent).toHaveLength(2);
  expect(sent[1]).toMatchObject({ name: "Grace", tools: null, model: null });
  expect(sent[1]).not.toHaveProperty("budget_micros_per_day");
});

it("another template replaces its own words and leaves those of the person", async () => {
  answers(() => HttpResponse.json({}, { status: 500 }));
  const user = userEvent.setup();
  renderScreen(<NewAgentScreen />, { route: "/agents/new" });
  fireEvent.change(await screen.findByLabelText(/^Name/), { target: { value: "Grace" } });
  await user.click(screen.getByRole("radio", { name: /Data analyst/ }));
  expect(screen.getByLabelText<HTMLInputElement>(/^Name/).value).toBe("Grace");
  expect(screen.getByLabelText<HTMLTextAreaElement>(/^Instructions/).value).toMatch(/data analyst/);
});

it("who may not make agents is told so", async () => {
  const rights = { ...session().rights, agents: "read" as const };
  renderScreen(<NewAgentScreen />, { route: "/agents/new", session: session({ role: "member", rights }) });
  expect(await screen.findByText("Making agents is for admins")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Go on" })).toBeNull();
});
