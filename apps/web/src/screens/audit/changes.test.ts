// Who reads an audit log looks for the one thing that changed.
import { expect, it } from "vitest";
import { changes } from "./changes";

it("shows the changed field alone, however deep it is", () => {
  const before = { name: "Ada", loop_limits: { resumes: 3, relay_depth: 4 } };
  const after = { name: "Ada", loop_limits: { resumes: 5, relay_depth: 4 } };
  expect(changes(before, after)).toEqual([{ field: "loop_limits.resumes", before: "3", after: "5" }]);
});

it("shows everything of what is new and of what is gone", () => {
  expect(changes(null, { name: "Ada", enabled: true })).toEqual([
    { field: "name", before: null, after: "Ada" },
    { field: "enabled", before: null, after: "true" },
  ]);
  expect(changes({ name: "Ada" }, null)).toEqual([{ field: "name", before: "Ada", after: null }]);
});

it("tells an unset value from an absent one and lists short lists", () => {
  expect(changes({ model: null }, { model: "demo/scripted" })).toEqual([
    { field: "model", before: "not set", after: "demo/scripted" },
  ]);
  expect(changes({ scopes: ["a"] }, { scopes: ["a", "b"] })).toEqual([{ field: "scopes", before: "a", after: "a, b" }]);
});
