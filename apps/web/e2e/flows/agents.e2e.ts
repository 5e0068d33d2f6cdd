// An agent is made in the guided way and answers its first message before the set-up is over.
import { MODEL, scripted } from "../support/arrange";
import { photographed } from "../support/look";
import { expect, test } from "../support/test";

test("a guided agent answers its first message", async ({ page, api }) => {
  await scripted(api);
  await page.goto("/agents/new");
  await page.getByRole("textbox", { name: "Name" }).fill("Grace");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("combobox", { name: "Model" }).click();
  await page.getByRole("option", { name: "Another model…" }).click();
  await page.getByRole("textbox", { name: "Name of the model" }).fill(MODEL);
  await page.getByRole("button", { name: "Make Grace" }).click();
  await expect(page.getByRole("heading", { name: "Say hello to Grace" })).toBeVisible();
  await page.getByRole("textbox", { name: "Message to Grace" }).fill("Good morning");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("You said: ", { exact: false })).toBeVisible();
  await photographed(page, "agent-hello");
  await page.getByRole("link", { name: "Go to Grace" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Grace" })).toBeVisible();
});

test("a name that is taken is told where it was typed", async ({ page, api }) => {
  await api.agent("Taken");
  await page.goto("/agents/new");
  await page.getByRole("textbox", { name: "Name" }).fill("Taken");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Make Taken" }).click();
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveAttribute("aria-invalid", "true");
});
