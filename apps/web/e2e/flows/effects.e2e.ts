// What could not be sent is sent when the cause is gone, and what may have arrived is settled by a person.
import { bot, scripted } from "../support/arrange";
import { photographed } from "../support/look";
import { outside } from "../support/outside";
import { expect, test } from "../support/test";

const NOA = { person: 7004, name: "Noa" };
const PAT = { person: 7005, name: "Pat" };

test("a dead letter is sent again once the person takes messages", async ({ page, api }) => {
  const agent = await api.agent("Bo", { model: await scripted(api), reply_policy: "auto" });
  await bot(api, [agent.id]);
  await outside.block(NOA);
  await outside.say(NOA, "I have blocked you");
  await page.goto("/effects?status=failed");
  await page.getByRole("row").filter({ hasText: "I have blocked you" }).getByRole("button").first().click();
  const drawer = page.getByRole("dialog");
  await expect(drawer).toContainText("The destination refuses it");
  await photographed(page, "dead-letter");
  await outside.unblock(NOA);
  await drawer.getByRole("button", { name: "Send again" }).click();
  expect(await outside.await(NOA, "You said: ")).toContain("I have blocked you");
  await page.goto("/effects?status=sent");
  await expect(page.getByRole("row").filter({ hasText: "I have blocked you" })).toBeVisible();
});

test("an effect of which nobody knows is marked as sent and not sent twice", async ({ page, api }) => {
  const agent = await api.agent("Bo", { model: await scripted(api), reply_policy: "auto" });
  await bot(api, [agent.id]);
  await outside.loseAnswer();
  await outside.say(PAT, "Did you get this?");
  await outside.await(PAT, "You said: ");
  await page.goto("/effects?status=unknown");
  await page.getByRole("row").filter({ hasText: "Did you get this?" }).getByRole("button").first().click();
  const drawer = page.getByRole("dialog");
  await expect(drawer).toContainText("Nobody knows whether it arrived");
  await photographed(page, "effect-unknown");
  await drawer.getByRole("button", { name: "It arrived: mark as sent" }).click();
  await expect(page.getByText("It is marked as sent.")).toBeVisible();
  expect((await outside.messages(PAT)).filter((text) => text.includes("You said"))).toHaveLength(1);
});
