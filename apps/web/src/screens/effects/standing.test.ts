// The words of the effects screen are its point; these hold them to what the states mean.
import { describe, expect, it } from "vitest";
import { choiceLabel, type EffectView, standing } from "./standing";

function effect(change: Partial<EffectView>): EffectView {
  return {
    id: "0192e0b4-0000-7000-8000-000000000001",
    job_id: "0192e0b4-0000-7000-8000-000000000002",
    slot: "reply",
    integration_id: "0192e0b4-0000-7000-8000-000000000003",
    conversation_id: "0192e0b4-0000-7000-8000-000000000004",
    action: { kind: "reply", markdown: "Hello", reply_to: null },
    status: "pending",
    dead_reason: null,
    detail: null,
    attempts: 0,
    next_attempt_at: "2026-11-23T10:00:00Z",
    expires_at: "2026-11-24T10:00:00Z",
    provider_reference: null,
    created_at: "2026-11-23T10:00:00Z",
    settled_at: null,
    ...change,
  };
}

describe("standing", () => {
  it("offers both ways out of an unknown one, and the harmless one first", () => {
    expect(standing(effect({ status: "unknown" })).choices).toEqual(["mark_sent", "resend", "cancel"]);
  });

  it("says what the destination said and what to do about it", () => {
    const blocked = effect({
      status: "failed",
      dead_reason: "blocked",
      detail: "forbidden: bot was blocked by the user",
    });
    expect(standing(blocked)).toEqual({
      title: "The destination refuses it",
      why: "Forbidden: bot was blocked by the user. Once the destination takes messages from us again, send it again.",
      choices: ["release"],
    });
  });

  it("counts the attempts of one that goes on being tried", () => {
    const retried = effect({ status: "pending", attempts: 1, detail: "429 Too Many Requests" });
    expect(standing(retried).why).toBe("Tried once so far. 429 Too Many Requests.");
    expect(standing(effect({ status: "failed", dead_reason: "attempts", attempts: 8 })).why).toBe(
      "Tried 8 times. When the cause is gone, send it again.",
    );
  });

  it("offers nothing where nothing can be changed any more", () => {
    for (const status of ["sending", "sent", "cancelled"] as const)
      expect(standing(effect({ status })).choices).toEqual([]);
  });
});

describe("choiceLabel", () => {
  it("tells a first sending from another one", () => {
    expect(choiceLabel("release", "held")).toBe("Send it");
    expect(choiceLabel("release", "failed")).toBe("Send again");
  });
});
