// A member comes in through an invitation and finds what their role carries and nothing else: not in the app, and not
// when they ask the server themselves.

import { Api } from "../support/api";
import { photographed } from "../support/look";
import { expect, listen, settled, test } from "../support/test";

const MIA = { name: "Mia Member", email: "mia@example.com", password: "another long enough password" };

test("an invited member may do what members may", async ({ page, browser, api, baseURL }) => {
  await page.goto("/settings/people");
  await page.getByRole("button", { name: "Invite" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "E-mail" }).fill(MIA.email);
  await dialog.getByRole("radio", { name: /^Member/ }).check();
  await dialog.getByRole("button", { name: "Make invitation link" }).click();
  const link = (await dialog.locator("code").first().textContent()) ?? "";
  expect(link).toContain("/welcome#token=");
  await photographed(page, "invitation-link");
  await dialog.getByRole("button", { name: "I have sent it" }).click();
  await expect(page.getByRole("list", { name: "Open invitations" })).toContainText(MIA.email);

  const context = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
  const complaints = listen(context);
  const hers = await context.newPage();
  await hers.goto(link);
  await hers.getByLabel("Your name").fill(MIA.name);
  await photographed(hers, "invited");
  await hers.getByRole("textbox", { name: "Password", exact: true }).fill(MIA.password);
  await hers.getByRole("textbox", { name: "The same again" }).fill(MIA.password);
  await hers.getByRole("button", { name: "Join" }).click();
  await expect(hers.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await settled(hers);
  await photographed(hers, "home-member");

  const rail = hers.getByRole("navigation").first();
  await expect(rail.getByRole("link", { name: "Chat" })).toBeVisible();
  await expect(rail.getByRole("link", { name: "Audit" })).toHaveCount(0);
  await hers.goto("/agents");
  await settled(hers);
  await expect(hers.getByRole("link", { name: "New agent" })).toHaveCount(0);
  await hers.goto("/settings/providers");
  await expect(hers.getByRole("button", { name: "Add provider" })).toHaveCount(0);

  const her = new Api(context.request);
  for (const path of ["/audit", "/providers", "/settings/retention", "/settings/oidc"])
    expect((await context.request.get(`/api/v1${path}`)).status(), path).toBe(403);
  expect((await her.send("post", "/agents", { name: "Mine" })).status()).toBe(403);
  expect((await her.send("post", "/invitations", { email: "x@example.com", role: "owner" })).status()).toBe(403);

  await test.step("disabled, she is out at once", async () => {
    const { items } = await api.get<{ items: { id: string; email: string }[] }>("/users?limit=100");
    const mia = items.find(({ email }) => email === MIA.email);
    await page.goto("/settings/people");
    const row = page.getByRole("listitem").filter({ hasText: MIA.email });
    await row.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await expect(row.getByText("Disabled")).toBeVisible();
    expect((await context.request.get("/api/v1/session")).status()).toBe(401);
    await api.patch(`/users/${mia?.id}`, { enabled: true });
  });
  expect(complaints).toEqual([]);
  await context.close();
});
