// What the form about single sign-on holds and how it becomes the request. Roles are pairs of a claim's value and a
// role, edited as rows, because an object with changing keys cannot be typed into.
import type { OidcView, Role } from "../../api/types";

export type OidcValues = {
  name: string;
  issuer: string;
  client_id: string;
  client_secret: string;
  scopes: string;
  role_claim: string;
  roles: { key: string; value: string; role: Role }[];
  /** Empty: people nobody invited are refused. */
  default_role: Role | "";
  link_by_email: boolean;
};

export function valuesOf(oidc: OidcView | null): OidcValues {
  return {
    name: oidc?.name ?? "",
    issuer: oidc?.issuer ?? "",
    client_id: oidc?.client_id ?? "",
    client_secret: "",
    scopes: (oidc?.scopes ?? ["openid", "profile", "email"]).join(" "),
    role_claim: oidc?.role_claim ?? "",
    roles: Object.entries(oidc?.roles ?? {}).map(([value, role]) => ({ key: value, value, role })),
    default_role: oidc?.default_role ?? "",
    link_by_email: oidc?.link_by_email ?? false,
  };
}

export function bodyOf(values: OidcValues) {
  const claim = values.role_claim.trim();
  return {
    name: values.name.trim(),
    issuer: values.issuer.trim(),
    client_id: values.client_id.trim(),
    ...(values.client_secret === "" ? {} : { client_secret: values.client_secret }),
    scopes: values.scopes.split(/\s+/).filter((scope) => scope !== ""),
    role_claim: claim === "" ? null : claim,
    roles: claim === "" ? {} : Object.fromEntries(values.roles.map(({ value, role }) => [value.trim(), role])),
    default_role: values.default_role === "" ? null : values.default_role,
    link_by_email: values.link_by_email,
  };
}

export function issuerProblem(issuer: string): string | null {
  if (!URL.canParse(issuer.trim())) return "Enter the issuer's address, such as https://login.example.com.";
  const { protocol } = new URL(issuer.trim());
  return protocol === "https:" || protocol === "http:" ? null : "An issuer's address begins with https://.";
}

export function scopesProblem(scopes: string): string | null {
  return scopes.split(/\s+/).includes("openid") ? null : "Without the scope openid there is no login.";
}
