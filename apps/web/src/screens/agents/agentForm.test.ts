import { describe, expect, it } from "vitest";
import { agentView } from "../../testing/agent";
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

const agent = agentView();
const limits = agent.loop_limits;

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

  it("is read as it was typed", () => {
    expect(budgetMicros({ kind: "limited", dollars: "0.50" })).toBe(500_000);
    expect(budgetProblem({ kind: "limited", dollars: "0." })).toBeNull();
    expect(budgetProblem({ kind: "limited", dollars: "-" })).toMatch(/amount/);
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
    expect(limitChanges(limits, { ...limits, resumes: "04" })).toEqual({ resumes: 4 });
  });
});
