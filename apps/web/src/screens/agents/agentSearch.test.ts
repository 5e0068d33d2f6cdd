import { expect, it } from "vitest";
import { agentSearch } from "./agentSearch";

it("a tab and a place in it come out of the URL", () => {
  const search = { tab: "sprite", part: "files", path: "/home", file: "/home/a" };
  expect(agentSearch(search)).toEqual(search);
});

it("words that no tab knows are dropped", () => {
  expect(agentSearch({ tab: "nonsense", part: "3", status: "gone" })).toEqual({});
});
