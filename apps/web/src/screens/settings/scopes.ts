// The scopes of a token as a choice per area. A token never carries more than its role, so a choice above that is
// not offered; the server cuts it down anyway.

import type { Area, Right, Role } from "../../api/types";

export const AREAS: readonly { area: Area; label: string; help: string }[] = [
  { area: "agents", label: "Agents", help: "who works here" },
  { area: "integrations", label: "Integrations", help: "where people talk to agents" },
  { area: "work", label: "Work", help: "work items, jobs, conversations" },
  { area: "effects", label: "Effects", help: "changes to the outside world" },
  { area: "approvals", label: "Approvals", help: "questions to people" },
  { area: "sprites", label: "Sprites", help: "the computers of agents" },
  { area: "costs", label: "Costs", help: "what it costs" },
  { area: "people", label: "People", help: "users, invitations, service tokens" },
  { area: "audit", label: "Audit", help: "who changed what" },
  { area: "settings", label: "Settings", help: "providers, sign-in, retention" },
];

export const RIGHTS: readonly Right[] = ["read", "operate", "administer"];

export type Rights = Partial<Record<Area, Right | null>>;

export const ROLES: readonly { role: Role; label: string; help: string }[] = [
  { role: "owner", label: "Owner", help: "Everything, other owners included." },
  { role: "admin", label: "Admin", help: "Everything but owners." },
  { role: "member", label: "Member", help: "Talks to agents, steers their work, decides what they may send." },
  { role: "viewer", label: "Viewer", help: "Looks, and changes nothing." },
];

export function roleLabel(role: Role): string {
  return ROLES.find((known) => known.role === role)?.label ?? role;
}

/** The levels that can be chosen below the most the token's role carries there. */
export function offered(most: Right | null | undefined): readonly Right[] {
  return most ? RIGHTS.slice(0, RIGHTS.indexOf(most) + 1) : [];
}

/** The choice as the API wants it; what the role does not carry is left out. */
export function scopesOf(choice: Rights, most: Rights): string[] {
  return AREAS.flatMap(({ area }) => {
    const right = choice[area];
    return right && offered(most[area]).includes(right) ? [`${area}:${right}`] : [];
  });
}

/** In words: `Work: operate, costs: read`. */
export function describeScopes(scopes: readonly string[] | null): string {
  if (scopes === null) return "All its role may";
  if (scopes.length === 0) return "Nothing";
  const text = scopes
    .map((scope) => {
      const [area, right] = scope.split(":");
      const label = AREAS.find((known) => known.area === area)?.label ?? area;
      return `${label?.toLowerCase()}: ${right}`;
    })
    .join(", ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What a role carries, as the server's table has it; for choosing, never for deciding. */
export function rightsOf(role: Role): Rights {
  const all = (right: Right) => Object.fromEntries(AREAS.map(({ area }) => [area, right])) as Rights;
  if (role === "owner" || role === "admin") return all("administer");
  const looks: Rights = { ...all("read"), audit: null, settings: null };
  if (role === "viewer") return { ...looks, people: null };
  return { ...looks, work: "operate", effects: "operate", approvals: "operate", sprites: "operate" };
}
