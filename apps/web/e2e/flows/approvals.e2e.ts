// Replies that are held until somebody agrees, and an agent that asks before it acts. Who asked may not agree for
// themselves, so the questions come from somebody on Telegram.
import { bot, scripted } from "../support/arrange";
import { photographed } from "../support/look";
import { outside } from "../support/outside";
import { expect, test } from "../support/test";

const LEE = { person: 7002, name: "Lee" };
const MAX = { person: 7003, name: "Max" };

test("a held reply is sent when it is approved", async ({ page, api }) => {
  const agent = await api.agent("Cleo", { model: await scripted(api), reply_policy: "approve" });
  await bot(api, [agent.id]);
  await page.goto("/approvals");
  await outside.say(LEE, "May I have my money back?");

  const card = page.getByRole("article").filter({ hasText: "money back" });
  await expect(card).toBeVisible();
  expect((await outside.messages(LEE)).join()).not.toContain("You said");
  await photographed(page, "approval-waiting");
  await page.getByRole("link", { name: "Home" }).filter({ visible: true }).click();
  const waiting = page.getByRole("link", { name: /approvals? to decide/ });
  await waiting.waitFor();
  await photographed(page, "home-waiting");
  await waiting.click();
  await card.getByRole("textbox", { name: "Note" }).fill("He is right.");
  await card.getByRole("button", { name: "Approve" }).click();
  await outside.await(LEE, "You said: ");
  await expect(card).toHaveCount(0);

  await page.goto("/approvals");
  const row = page.getByRole("table", { name: "Approvals" }).getByRole("row").nth(1);
  await expect(row).toContainText("Approved");
  await row.getByRole("button").first().click();
  await expect(page.getByRole("dialog")).toContainText("He is right.");
});

test("an agent that asks before it acts is told no", async ({ page, api }) => {
  const agent = await api.agent("Dora", { model: await scripted(api), reply_policy: "auto" });
  await bot(api, [agent.id]);
  await outside.say(MAX, "ask before you deploy version 2");
  await page.goto("/approvals");
  const card = page.getByRole("article").filter({ hasText: "May I deploy version 2?" });
  await expect(card).toContainText('"target": "production"');
  await expect(card).toContainText("Expires in");
  await card.getByRole("link", { name: "Job" }).click();
  await expect(page.getByText("The job is waiting.")).toBeAttached();
  await photographed(page, "job-waiting");
  await page.goBack();
  await card.getByRole("button", { name: "Deny" }).click();
  await expect(card).toHaveCount(0);
  await expect.poll(async () => (await outside.messages(MAX)).join("\n"), { timeout: 15_000 }).toMatch(/denied/i);
});
