import { expect, it } from "vitest";
import { afterSaving } from "./afterSaving";

it("takes what the server made of a field, unless it was changed meanwhile", () => {
  const sent = { name: " Ada ", tools: ["bash"], text: "Be brief." };
  const typed = { name: " Ada ", tools: ["bash"], text: "Be brief. Always." };
  const saved = { name: "Ada", tools: ["bash", "grep"], text: "Be brief." };
  expect(afterSaving(sent, typed, saved)).toEqual({ name: "Ada", tools: ["bash", "grep"], text: "Be brief. Always." });
});
