// A bot is connected in the guided way, tested against the vendor, and what a person writes to it becomes a work item
// with an answer.
import { bot, noBot, scripted } from "../support/arrange";
import { addresses, outside } from "../support/outside";
import { expect, test } from "../support/test";

const KIM = { person: 7001, name: "Kim" };

test("a person writes to a connected bot and is answered", async ({ page, api }) => {
  const agent = await api.agent("Bo", { model: await scripted(api) });
  await noBot(api);
  await page.goto("/integrations/new?type=telegram");
  await page.getByRole("textbox", { name: "Name" }).fill("Support bot");
  await page.getByRole("textbox", { name: "Bot token" }).fill(addresses().telegram_token);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "More settings" }).click();
  await page.getByRole("textbox", { name: "Address of the Bot API" }).fill(addresses().telegram_url);
  await page.getByRole("button", { name: "Connect and test" }).click();
  await expect(page.getByText(/Connected to Telegram as @nitejar_demo_bot/)).toBeVisible();

  await bot(api, [agent.id]);
  await outside.say(KIM, "Where is my parcel?");
  await outside.await(KIM, "You said: ");
  await expect(page.getByRole("main")).toContainText("Kim: Where is my parcel?");

  await page.goto("/inbox");
  await page.getByRole("link", { name: /Where is my parcel/ }).click();
  await expect(page.getByRole("main")).toContainText("Kim");
  await expect(page.getByRole("main")).toContainText("You said: ");
});
