// What is said in a chat is said once, and a failed look at it takes nothing away.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, describe, expect, it } from "vitest";
import { conversation, pageOf } from "../../testing/answers";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { Conversation } from "./Conversation";
import { ConversationList } from "./ConversationList";
import { NewChat } from "./NewChat";

type Sent = { path: string; key: string | null; body: unknown };

const GRACE = { id: "a", name: "Grace", enabled: true, archived_at: null };
let sent: Sent[] = [];

/** Notes the request; an answer of null is none at all. */
function answering(path: string, ...answers: (object | null)[]) {
  const left = [...answers];
  server.use(
    http.post(`*${path}`, async ({ request }) => {
      sent.push({ path, key: request.headers.get("idempotency-key"), body: await request.json() });
      const answer = left.shift() ?? null;
      return answer === null ? HttpResponse.error() : HttpResponse.json(answer, { status: 201 });
    }),
  );
}

beforeEach(() => {
  sent = [];
  server.use(
    http.get("*/api/v1/agents", () => HttpResponse.json(pageOf(GRACE))),
    http.get("*/api/v1/jobs", () => HttpResponse.json(pageOf())),
    http.get("*/api/v1/conversations/:id", ({ params }) => HttpResponse.json(conversation({ id: String(params.id) }))),
    http.get("*/api/v1/conversations/:id/entries", () => HttpResponse.json(pageOf())),
  );
});

describe("a conversation", () => {
  it("sends what got no answer again under the same key", async () => {
    answering("/api/v1/work-items", null, { id: "w" });
    renderScreen(<Conversation id="c1" />);
    const input = await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Message to Grace" });
    await userEvent.type(input, "deploy it{Enter}");
    await waitFor(() => expect(input.value).toBe("deploy it"));
    await userEvent.type(input, "{Enter}");
    await waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[0]?.key).toMatch(/./);
    expect(sent[1]).toEqual(sent[0]);
  });

  it("stays, with what was typed, when a later look at it fails", async () => {
    const { queryClient } = renderScreen(<Conversation id="c2" />);
    const input = await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Message to Grace" });
    await userEvent.type(input, "half a thought");
    server.use(http.get("*/api/v1/conversations/:id/entries", () => HttpResponse.json({}, { status: 500 })));
    await queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/conversations/{id}/entries"] });
    expect(await screen.findByText("The chat could not be loaded")).toBeDefined();
    expect(input.isConnected).toBe(true);
    expect(input.value).toBe("half a thought");
  });
});

describe("a new chat", () => {
  it("goes on in the conversation that was made when the first word did not get through", async () => {
    answering("/api/v1/conversations", conversation({ id: "made" }), conversation({ id: "second" }));
    answering("/api/v1/work-items", null, { id: "w" });
    renderScreen(<NewChat agentId={null} />);
    const input = await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Message to Grace" });
    await userEvent.type(input, "deploy it{Enter}");
    await waitFor(() => expect(input.value).toBe("deploy it"));
    await userEvent.type(input, "{Enter}");
    await waitFor(() => expect(sent).toHaveLength(3));
    const [made, first, again] = sent;
    expect(made?.path).toBe("/api/v1/conversations");
    expect(first?.body).toEqual({ text: "deploy it", agent_ids: ["a"], conversation_id: "made" });
    expect(again).toEqual(first);
  });
});

describe("the list of chats", () => {
  const asked: (string | null)[] = [];
  beforeEach(() => {
    asked.length = 0;
    server.use(
      http.get("*/api/v1/conversations", ({ request }) => {
        asked.push(new URL(request.url).searchParams.get("integration_id"));
        return HttpResponse.json(pageOf(conversation(), conversation({ id: "t", type: "telegram", title: "Kim" })));
      }),
    );
  });

  it("asks for those on the built-in integration alone", async () => {
    const integrations = pageOf(
      { id: "bot", type: "telegram", name: "Bot" },
      { id: "web-1", type: "web", name: "Web" },
    );
    server.use(http.get("*/api/v1/integrations", () => HttpResponse.json(integrations)));
    renderScreen(<ConversationList selected={null} />);
    expect(await screen.findByText("Hello")).toBeDefined();
    expect(asked).toEqual(["web-1"]);
  });

  it("picks them out of all where that integration cannot be known", async () => {
    server.use(http.get("*/api/v1/integrations", () => HttpResponse.json({ code: "forbidden" }, { status: 403 })));
    renderScreen(<ConversationList selected={null} />);
    expect(await screen.findByText("Hello")).toBeDefined();
    expect(screen.queryByText("Kim")).toBeNull();
    expect(asked).toEqual([null]);
  });
});
