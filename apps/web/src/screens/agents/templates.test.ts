import { expect, it } from "vitest";
import { nameProblem } from "./agentForm";
import { BLANK, TEMPLATES, templateOf } from "./templates";

it("every template can be saved as it is", () => {
  for (const template of TEMPLATES) {
    expect(nameProblem(template.name), template.key).toBeNull();
    expect(template.instructions.length, template.key).toBeGreaterThan(200);
    expect(template.hello, template.key).not.toBe("");
  }
});

it("templates are told apart by key and by the name they suggest", () => {
  expect(new Set(TEMPLATES.map((template) => template.key)).size).toBe(TEMPLATES.length);
  expect(new Set(TEMPLATES.map((template) => template.name)).size).toBe(TEMPLATES.length);
});

it("an unknown template is the blank one", () => {
  expect(templateOf("no-such")).toBe(BLANK);
});
