// The card decides real things: what a person presses must be what is sent, and what they may not do is not offered.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, expect, it } from "vitest";
import type { ApprovalView } from "../api/types";
import { renderScreen } from "../testing/render";
import { server } from "../testing/server";
import { ApprovalCard } from "./ApprovalCard";

const ID = "0198c0de-0000-7000-8000-000000000001";

function approval(change: Partial<ApprovalView> = {}): ApprovalView {
  return {
    id: ID,
    kind: "action",
    status: "pending",
    agent_id: "0198c0de-0000-7000-8000-000000000002",
    job_id: "0198c0de-0000-7000-8000-000000000003",
    work_item_id: "0198c0de-0000-7000-8000-000000000004",
    conversation_id: "0198c0de-0000-7000-8000-000000000005",
    effect_id: null,
    tool_call_id: null,
    question: "May I deploy?",
    action: { kind: "deploy", target: "production" },
    digest: "0123456789abcdef",
    approvers: { min_role: "member", user_ids: [] },
    requested_by: null,
    requested_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    decided_at: null,
    decided_by: null,
    note: null,
    may_decide: true,
    ...change,
  };
}

beforeEach(() => {
  server.use(
    http.get("*/api/v1/agents", () => HttpResponse.json({ items: [], next_cursor: null })),
    http.get("*/api/v1/conversations/:id", () => HttpResponse.json({ integration_name: "Support bot", title: "Kim" })),
  );
});

it("shows the exact action and where it goes, and sends the answer with its note", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post(`*/api/v1/approvals/${ID}/approve`, async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(approval({ status: "approved" }));
    }),
  );
  renderScreen(<ApprovalCard approval={approval()} />);
  expect(await screen.findByText(/"target": "production"/)).toBeTruthy();
  expect(await screen.findByText("Support bot · Kim")).toBeTruthy();
  expect(screen.getByRole("button", { name: /Copy the id of the approval/ })).toBeTruthy();
  await userEvent.type(screen.getByRole("textbox", { name: "Note" }), "after lunch");
  await userEvent.click(screen.getByRole("button", { name: "Approve" }));
  await waitFor(() => expect(sent).toEqual([{ note: "after lunch" }]));
});

it("says that somebody else was faster", async () => {
  server.use(
    http.post(`*/api/v1/approvals/${ID}/deny`, () =>
      HttpResponse.json(
        {
          code: "approval_decided",
          title: "Conflict",
          detail: "the approval is approved already",
          status: 409,
          errors: [],
        },
        { status: 409 },
      ),
    ),
  );
  renderScreen(<ApprovalCard approval={approval()} />);
  await userEvent.click(await screen.findByRole("button", { name: "Deny" }));
  expect(await screen.findByText("The approval is approved already.")).toBeTruthy();
});

it("offers no answer to who may not give one, and says who may", async () => {
  renderScreen(
    <ApprovalCard approval={approval({ may_decide: false, approvers: { min_role: "admin", user_ids: [] } })} />,
  );
  expect(await screen.findByText(/it takes an admin or an owner, and nobody answers/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Approve" })).toBeNull();
});

it("says how it ended", async () => {
  const decided = { decided_at: new Date().toISOString(), decided_by: { id: null, name: "Olga" }, note: "no" };
  renderScreen(<ApprovalCard approval={approval({ status: "denied", may_decide: false, ...decided })} />);
  expect(await screen.findByText(/Denied by Olga/)).toBeTruthy();
});
