// A new server: the owner comes in through the set-up link, gets a second factor and logs in with it. Leaves behind
// the login that all other tests begin with.
import { photographed } from "./support/look";
import { expect, OWNER, OWNER_STATE, settled, test } from "./support/test";
import { nextTotp, totp } from "./support/totp";

test.use({ storageState: { cookies: [], origins: [] } });

test("the set-up link makes the owner, once, who then logs in with a second factor", async ({ page, context }) => {
  // It looks at everything on its way.
  test.setTimeout(300_000);
  const link = process.env.E2E_SETUP_LINK ?? "";

  await test.step("without the link there is nothing to do", async () => {
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "This server has no owner yet" })).toBeVisible();
    await photographed(page, "no-owner");
  });

  await test.step("the link makes the owner and leaves no token in the address", async () => {
    await page.goto(link);
    await page.getByLabel("Your name").fill(OWNER.name);
    await page.getByLabel("E-mail").fill(OWNER.email);
    await page.getByRole("textbox", { name: "Password", exact: true }).fill(OWNER.password);
    await page.getByRole("textbox", { name: "The same again" }).fill(OWNER.password);
    expect(page.url()).not.toContain("token");
    await photographed(page, "set-up");
    await page.getByRole("button", { name: "Create the owner" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
    await settled(page);
    await photographed(page, "home-empty");
  });

  await test.step("every place says what it will hold", async () => {
    for (const place of ["inbox", "agents", "chat", "effects", "approvals", "costs"]) {
      await page.goto(`/${place}`);
      await settled(page);
      await photographed(page, `${place}-empty`);
    }
  });

  const secret = await test.step("the second factor is switched on", async () => {
    await page.goto("/settings/security");
    await page.getByRole("button", { name: "Switch on" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Password" }).fill(OWNER.password);
    await dialog.getByRole("button", { name: "Continue" }).click();
    const key = dialog.getByRole("button", { name: /id of the authenticator/ });
    const found = /[A-Z2-7]{16,}/.exec((await key.textContent()) ?? "")?.[0] ?? "";
    await expect(dialog.getByRole("img")).toBeVisible();
    await photographed(page, "second-factor");
    await dialog.getByRole("textbox", { name: "Code" }).fill(totp(found, Date.now()));
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await expect(dialog.getByText("Recovery codes", { exact: true })).toBeVisible();
    await photographed(page, "recovery-codes");
    await dialog.getByRole("button", { name: "I have kept them" }).click();
    await expect(page.getByText("It is on.")).toBeVisible();
    return found;
  });

  await test.step("logged out, the password alone does not let in", async () => {
    await page.getByRole("button", { name: OWNER.name }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    await page.getByLabel("E-mail").fill(OWNER.email);
    await page.getByRole("textbox", { name: "Password" }).fill("not the password");
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByRole("alert")).toContainText("is wrong");
    await page.getByRole("textbox", { name: "Password" }).fill(OWNER.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByText("Enter the six digits that your authenticator shows.")).toBeVisible();
    await photographed(page, "login-code");
  });

  await test.step("with the code it does", async () => {
    await page.getByRole("textbox", { name: "Digit 1" }).click();
    await page.keyboard.type(nextTotp(secret));
    await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  });

  await test.step("the link does not work a second time", async () => {
    await page.goto("about:blank");
    await page.goto(link);
    await expect(page.getByRole("heading", { name: "This link does not work any more" })).toBeVisible();
  });
  await context.storageState({ path: OWNER_STATE });
});
