import { describe, expect, it } from "vitest";
import {
  budgetMicros,
  budgetOf,
  budgetProblem,
  changesOf,
  createBody,
  LOOP_LIMITS,
  limitChanges,
  limitProblems,
  modelProblem,
  nameProblem,
  sameTools,
  valuesOf,
} from "./agentForm";
import type { AgentView } from "./types";

const limits = {
  relay_depth: 3,
  bot_window_items: 20,
  bot_window_seconds: 60,
  bot_cooldown_seconds: 60,
  identical_calls: 5,
  identical_answers: 3,
  resumes: 3,
};

const agent: AgentView = {
  id: "0198c0de-0000-7000-8000-000000000001",
  name: "Ada",
  model: null,
  instructions: "Be brief.",
  enabled: true,
  reply_policy: "auto",
  approvers: { min_role: "member", user_ids: [] },
  steering: "steer",
  loop_limits: limits,
  budget_micros_per_day: 5_000_000,
  tools: null,
  created_at: "2026-11-23T10:00:00Z",
  updated_at: "2026-11-23T10:00:00Z",
  archived_at: null,
};

describe("a request to change an agent", () => {
  it("is empty when nothing was changed", () => {
    expect(changesOf(agent, valuesOf(agent))).toEqual({});
  });

  it("holds what was changed and nothing else", () => {
    const values = { ...valuesOf(agent), name: " Ada L. ", reply_policy: "approve" as const };
    expect(changesOf(agent, values)).toEqual({ name: "Ada L.", reply_policy: "approve" });
  });

  it("says null for the default model, no budget and all tools", () => {
    const busy = { ...agent, model: "demo/scripted", tools: ["bash"] };
    const values = { ...valuesOf(busy), model: null, budget: { kind: "unlimited" as const }, tools: null };
    expect(changesOf(busy, values)).toEqual({ model: null, budget_micros_per_day: null, tools: null });
  });

  it("heeds no order of tools", () => {
    expect(sameTools(["bash", "grep"], ["grep", "bash"])).toBe(true);
    expect(sameTools(["bash"], ["bash", "grep"])).toBe(false);
    expect(sameTools([], null)).toBe(false);
  });
});

describe("a new agent", () => {
  it("leaves its budget to the server unless one was chosen", () => {
    const values = { ...valuesOf(agent), budget: { kind: "default" as const } };
    expect(createBody(values)).not.toHaveProperty("budget_micros_per_day");
    expect(createBody({ ...values, budget: { kind: "unlimited" } })).toHaveProperty("budget_micros_per_day", null);
  });
});

describe("a budget", () => {
  it("comes back as it went, without a floating tail", () => {
    expect(budgetMicros({ kind: "limited", dollars: 0.1 + 0.2 })).toBe(300_000);
    expect(budgetMicros(budgetOf(1_234_567))).toBe(1_234_567);
    expect(budgetOf(null)).toEqual({ kind: "unlimited" });
  });

  it("needs an amount that is not negative", () => {
    expect(budgetProblem({ kind: "limited", dollars: "" })).toMatch(/amount/);
    expect(budgetProblem({ kind: "limited", dollars: -1 })).toMatch(/negative/);
    expect(budgetProblem({ kind: "limited", dollars: 0 })).toBeNull();
  });
});

describe("a name", () => {
  it("is refused as the server would", () => {
    expect(nameProblem("  ")).toMatch(/name/);
    expect(nameProblem("a".repeat(65))).toMatch(/64/);
    expect(nameProblem("a@b")).toMatch(/@/);
    expect(nameProblem("Ada Lovelace")).toBeNull();
  });
});

describe("a model", () => {
  it("is a provider and a model", () => {
    expect(modelProblem("gpt")).toMatch(/provider\/model/);
    expect(modelProblem("router/meta/llama-3:free")).toBeNull();
    expect(modelProblem(null)).toBeNull();
  });
});

describe("loop limits", () => {
  it("name every limit the API has", () => {
    expect(LOOP_LIMITS.map((limit) => limit.key).sort()).toEqual(Object.keys(limits).sort());
  });

  it("refuse what is out of range, empty or broken", () => {
    const problems = limitProblems({ ...limits, relay_depth: 101, resumes: "", identical_calls: 2.5 });
    expect(Object.keys(problems).sort()).toEqual(["identical_calls", "relay_depth", "resumes"]);
  });

  it("send only what changed", () => {
    expect(limitChanges(limits, { ...limits, resumes: 4 })).toEqual({ resumes: 4 });
  });
});
