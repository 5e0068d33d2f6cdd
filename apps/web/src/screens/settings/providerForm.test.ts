// What the form refuses must be what the server refuses, no more.
import { expect, it } from "vitest";
import { addressProblem, nameProblem } from "./providerForm";

it("takes the names that models can begin with", () => {
  for (const good of ["a", "openrouter", "vllm-2", "my_box"]) expect(nameProblem(good)).toBeNull();
  for (const bad of ["", "2x", "Open", "a/b", "a b", "-a", "x".repeat(33)]) expect(nameProblem(bad)).not.toBeNull();
});

it("takes web addresses and none at all", () => {
  for (const good of ["", "http://10.0.0.5:8000/v1", "https://openrouter.ai/api/v1"])
    expect(addressProblem(good)).toBeNull();
  for (const bad of ["openrouter.ai", "ftp://x", "javascript:alert(1)"]) expect(addressProblem(bad)).not.toBeNull();
});
