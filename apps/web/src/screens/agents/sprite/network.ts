// The rules of a network policy as a form: what may be written, what a policy means in words, and whether it
// reaches a host. The same rules as the server's, so that a person sees the effect before saving.
import { count } from "../../../lib/format";
import type { NetworkAction, NetworkPolicyView } from "../types";

export type RuleValue = { domain: string; action: NetworkAction };

/** Hosts that people often need together. */
export const PRESETS: readonly { label: string; domains: readonly string[] }[] = [
  { label: "GitHub", domains: ["github.com", "api.github.com", "*.githubusercontent.com"] },
  { label: "npm", domains: ["registry.npmjs.org"] },
  { label: "Python packages", domains: ["pypi.org", "files.pythonhosted.org"] },
  { label: "Rust crates", domains: ["crates.io", "index.crates.io", "static.crates.io"] },
  { label: "Go modules", domains: ["proxy.golang.org", "sum.golang.org"] },
];

export function normalDomain(text: string): string {
  return text.trim().replace(/\.+$/, "").toLowerCase();
}

export function domainProblem(text: string): string | null {
  const name = normalDomain(text);
  if (name === "") return "Name a host, such as example.com.";
  if (name === "*") return null;
  if (/[/:]/.test(name) && !isIpv6(name)) return "A host name only, without https://, port or path.";
  const bare = name.startsWith("*.") ? name.slice(2) : name;
  const isHost = isIpv6(bare) || (bare.length <= 253 && bare.split(".").every(isLabel));
  return isHost ? null : "Write example.com, *.example.com or *.";
}

function isLabel(label: string): boolean {
  return /^(?!-)[a-z0-9_-]{1,63}$/.test(label) && !label.endsWith("-");
}

function isIpv6(text: string): boolean {
  return /^[0-9a-f:.]+$/.test(text) && text.split(":").length > 2;
}

/** The first problem of each rule by its place; a rule that says the same host twice is one. */
export function ruleProblems(rules: readonly RuleValue[]): Record<number, string> {
  const problems: Record<number, string> = {};
  const seen = new Set<string>();
  rules.forEach((rule, place) => {
    const name = normalDomain(rule.domain);
    const problem = domainProblem(rule.domain) ?? (seen.has(name) ? "This host has a rule already." : null);
    if (problem) problems[place] = problem;
    seen.add(name);
  });
  return problems;
}

/** The rules with those of a preset that are not among them yet. */
export function withDomains(rules: readonly RuleValue[], domains: readonly string[]): RuleValue[] {
  const known = new Set(rules.map((rule) => normalDomain(rule.domain)));
  const missing = domains.filter((domain) => !known.has(domain));
  return [...rules, ...missing.map((domain): RuleValue => ({ domain, action: "allow" }))];
}

/** Whether a policy lets a host through: the closest rule decides, of two as close the one that denies. */
export function allows(policy: NetworkPolicyView, host: string): boolean {
  const name = normalDomain(host);
  let closest = -1;
  let allowed = policy.otherwise === "allow";
  for (const rule of policy.rules) {
    const near = closeness(normalDomain(rule.domain), name);
    if (near > closest) allowed = rule.action === "allow";
    else if (near === closest && near >= 0 && rule.action === "deny") allowed = false;
    closest = Math.max(closest, near);
  }
  return allowed;
}

function closeness(domain: string, host: string): number {
  if (domain === host) return Number.MAX_SAFE_INTEGER;
  if (!domain.startsWith("*")) return -1;
  const suffix = domain.slice(1);
  return host.length > suffix.length && host.endsWith(suffix) ? suffix.length : -1;
}

/** One line for people. A rule for every host is what holds otherwise. */
export function summaryOf(policy: NetworkPolicyView): string {
  const everyHost = policy.rules.filter((rule) => rule.domain.trim() === "*");
  const rest = everyHost[0]
    ? everyHost.every((rule) => rule.action === "allow")
      ? "allow"
      : "deny"
    : policy.otherwise;
  const named = policy.rules.filter((rule) => rule.domain.trim() !== "*");
  const exceptions = named.filter((rule) => rule.action !== rest).length;
  if (rest === "allow")
    return exceptions === 0 ? "Every public host" : `Every public host except ${count(exceptions, "denied host")}`;
  return exceptions === 0 ? "Nothing" : `Only ${count(exceptions, "allowed host")}`;
}

export function samePolicy(left: NetworkPolicyView, right: NetworkPolicyView): boolean {
  return (
    left.otherwise === right.otherwise &&
    left.rules.length === right.rules.length &&
    left.rules.every((rule, place) => {
      const other = right.rules[place];
      return other?.action === rule.action && normalDomain(other.domain) === normalDomain(rule.domain);
    })
  );
}
