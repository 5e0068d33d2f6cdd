import { describe, expect, it } from "vitest";
import type { NetworkPolicyView } from "../types";
import { allows, domainProblem, PRESETS, ruleProblems, samePolicy, summaryOf, withDomains } from "./network";

const policy = (otherwise: "allow" | "deny", ...rules: [string, "allow" | "deny"][]): NetworkPolicyView => ({
  otherwise,
  rules: rules.map(([domain, action]) => ({ domain, action })),
});

describe("a rule", () => {
  it("names a host, the hosts below one, an address or all", () => {
    for (const domain of ["example.com", "*.Example.com", "*", "localhost", "10.0.0.1", "::1", "a_b.example.com."])
      expect(domainProblem(domain), domain).toBeNull();
  });

  it("is no URL, port, path or half a wildcard", () => {
    for (const domain of ["", "https://example.com", "example.com:443", "example.com/x", "ex*.com", "-a.com", "a..b"])
      expect(domainProblem(domain), domain).not.toBeNull();
  });

  it("stands once", () => {
    const rules = policy("deny", ["a.com", "allow"], ["A.com.", "deny"]).rules;
    expect(ruleProblems(rules)).toEqual({ 1: "This host has a rule already." });
  });
});

describe("what a policy reaches", () => {
  it("is decided by the closest rule, and by denial between equals", () => {
    const rules = policy("deny", ["*.example.com", "allow"], ["secret.example.com", "deny"], ["*", "deny"]);
    expect(allows(rules, "www.example.com")).toBe(true);
    expect(allows(rules, "secret.example.com")).toBe(false);
    expect(allows(rules, "example.com")).toBe(false);
    expect(allows(policy("allow", ["a.com", "deny"], ["a.com", "allow"]), "a.com")).toBe(false);
  });

  it("is the rest where no rule names the host", () => {
    expect(allows(policy("allow"), "a.com")).toBe(true);
    expect(allows(policy("deny"), "a.com")).toBe(false);
  });

  it("is said in one line", () => {
    expect(summaryOf(policy("deny"))).toBe("Nothing");
    expect(summaryOf(policy("deny", ["a.com", "allow"]))).toBe("Only 1 allowed host");
    expect(summaryOf(policy("allow"))).toBe("Every public host");
    expect(summaryOf(policy("allow", ["a.com", "deny"]))).toBe("Every public host except 1 denied host");
    expect(summaryOf(policy("deny", ["*", "allow"]))).toBe("Every public host");
  });
});

it("presets can be saved and are added once", () => {
  for (const preset of PRESETS) for (const domain of preset.domains) expect(domainProblem(domain), domain).toBeNull();
  const once = withDomains([], ["github.com"]);
  expect(withDomains(once, ["github.com", "pypi.org"])).toHaveLength(2);
});

it("policies are the same whatever the case of their hosts", () => {
  expect(samePolicy(policy("deny", ["A.com", "allow"]), policy("deny", ["a.com", "allow"]))).toBe(true);
  expect(samePolicy(policy("deny", ["a.com", "allow"]), policy("deny", ["a.com", "deny"]))).toBe(false);
  expect(samePolicy(policy("deny"), policy("allow"))).toBe(false);
});
