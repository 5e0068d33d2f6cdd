// A role that gets lost on the way lets the wrong people in, or nobody.
import { expect, it } from "vitest";
import { bodyOf, issuerProblem, scopesProblem, valuesOf } from "./oidcForm";

const OIDC = {
  name: "Company login",
  issuer: "https://login.example.com",
  client_id: "nitejar",
  scopes: ["openid", "groups"],
  role_claim: "groups",
  roles: { ops: "admin", staff: "member" } as const,
  default_role: null,
  link_by_email: true,
};

it("sends back what it was given, without a secret that was not typed", () => {
  expect(bodyOf(valuesOf(OIDC))).toEqual(OIDC);
  expect(bodyOf({ ...valuesOf(OIDC), client_secret: "s" })).toMatchObject({ client_secret: "s" });
});

it("sends no roles without a claim to read them from", () => {
  expect(bodyOf({ ...valuesOf(OIDC), role_claim: " " })).toMatchObject({ role_claim: null, roles: {} });
});

it("knows an address and the scope that makes a login", () => {
  expect(issuerProblem("login.example.com")).not.toBeNull();
  expect(issuerProblem("https://login.example.com/realms/x")).toBeNull();
  expect(scopesProblem("profile email")).not.toBeNull();
  expect(scopesProblem(valuesOf(null).scopes)).toBeNull();
});
