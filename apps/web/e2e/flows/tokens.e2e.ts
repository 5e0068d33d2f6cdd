// A token is made, works as far as it is let, and is dead the moment it is revoked.
import { request } from "@playwright/test";
import { expect, test } from "../support/test";

test("a token does what it may and nothing after it is revoked", async ({ page, baseURL }) => {
  await page.goto("/settings/tokens");
  await page.getByRole("button", { name: "New token" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("nightly report");
  await dialog.getByRole("combobox", { name: /^Costs/ }).selectOption("Read");
  await dialog.getByRole("button", { name: "Make token" }).click();
  const token = (await dialog.locator("code").first().textContent()) ?? "";
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByText(token)).toHaveCount(0);

  const program = await request.newContext({ baseURL, extraHTTPHeaders: { Authorization: `Bearer ${token}` } });
  const status = async (path: string) => (await program.get(`/api/v1${path}`)).status();
  expect(await status("/costs")).toBe(200);
  expect(await status("/agents")).toBe(403);

  const row = page.getByRole("listitem").filter({ hasText: "nightly report" });
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke token" }).click();
  await expect(row.getByText("Revoked", { exact: true })).toBeVisible();
  expect(await status("/costs")).toBe(401);
  await program.dispose();
});
