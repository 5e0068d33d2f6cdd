// A provider is added with a wrong key, says so, and works with the right one; the key never comes back.
import { addresses } from "../support/outside";
import { expect, test } from "../support/test";

test("a provider is tested as it is added and again when its key is right", async ({ page, api }) => {
  const { model_url, model_key } = addresses();
  await page.goto("/settings/providers");
  await page.getByRole("button", { name: "Add provider" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("mine");
  await dialog.getByRole("textbox", { name: "Address" }).fill(model_url);
  await dialog.getByRole("textbox", { name: "Key" }).fill("sk-wrong-key-of-nobody");
  await dialog.getByRole("button", { name: "Save provider" }).click();
  await dialog.getByRole("textbox", { name: "Model of mine to ask" }).fill("claude-haiku-5-5");
  await dialog.getByRole("button", { name: "Test mine" }).click();
  await expect(dialog.getByText("Failed")).toBeVisible();
  await dialog.getByRole("button", { name: "Done" }).click();

  await page.getByRole("button", { name: "Edit mine" }).click();
  await expect(dialog.getByRole("textbox", { name: "Key" })).toHaveValue("");
  await dialog.getByRole("textbox", { name: "Key" }).fill(model_key);
  await dialog.getByRole("button", { name: "Save provider" }).click();
  await dialog.getByRole("textbox", { name: "Model of mine to ask" }).fill("claude-haiku-5-5");
  await dialog.getByRole("button", { name: "Test mine" }).click();
  await expect(dialog.getByText("OK", { exact: true })).toBeVisible();
  await dialog.getByRole("button", { name: "Done" }).click();

  await page.getByRole("button", { name: "Test demo" }).click();
  await expect(page.getByText("demo/scripted answered")).toBeVisible();

  expect(JSON.stringify(await api.get("/providers"))).not.toContain(model_key);
  expect(await page.content()).not.toContain(model_key);
});
