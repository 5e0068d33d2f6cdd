// What is chosen must be what is sent.
import { expect, it } from "vitest";
import { describeScopes, offered, rightsOf, scopesOf } from "./scopes";

it("offers nothing above what the role carries", () => {
  expect(offered(rightsOf("member").work)).toEqual(["read", "operate"]);
  expect(offered(rightsOf("viewer").people)).toEqual([]);
  expect(offered(rightsOf("admin").settings)).toEqual(["read", "operate", "administer"]);
});

it("sends the chosen areas alone", () => {
  const admin = rightsOf("admin");
  expect(scopesOf({ work: "operate", costs: "read", audit: null }, admin)).toEqual(["work:operate", "costs:read"]);
  expect(scopesOf({}, admin)).toEqual([]);
});

it("forgets a choice that a lower role does not carry", () => {
  expect(scopesOf({ work: "administer", costs: "read" }, rightsOf("member"))).toEqual(["costs:read"]);
});

it("reads scopes back in words", () => {
  expect(describeScopes(["work:operate", "costs:read"])).toBe("Work: operate, costs: read");
  expect(describeScopes(null)).toBe("All its role may");
  expect(describeScopes([])).toBe("Nothing");
});
