import { describe, expect, it } from "vitest";
import { returnPath } from "./returnTo";

describe("the way back after a login", () => {
  it("is the page that was asked for, with its filters and its place", () => {
    expect(returnPath("/inbox?status=open")).toBe("/inbox?status=open");
    expect(returnPath("/jobs/1#call-3")).toBe("/jobs/1#call-3");
  });

  it("is never another site", () => {
    for (const wanted of [
      "https://elsewhere.example/",
      "//elsewhere.example/",
      "/\\elsewhere.example",
      "javascript:alert(1)",
      "/\t/elsewhere.example",
    ]) {
      expect(returnPath(wanted)).toBe("/");
    }
  });

  it("is home when there is none, and does not go round in a circle", () => {
    expect(returnPath(undefined)).toBe("/");
    expect(returnPath("/login?return_to=/login")).toBe("/");
  });
});
