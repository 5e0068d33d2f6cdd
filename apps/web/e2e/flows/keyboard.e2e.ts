// The main flows with the keyboard alone: log in, go places, make an agent, talk to it, decide a question.
import type { Locator, Page } from "@playwright/test";
import { bot, scripted } from "../support/arrange";
import { outside } from "../support/outside";
import { expect, settled, test } from "../support/test";

const UMA = { person: 7006, name: "Uma" };
const VIC = { name: "Vic Viewer", email: "vic@example.com", password: "a third long enough password" };

/** Tabs until the control has the focus, as a person does. */
async function tabTo(page: Page, control: Locator) {
  await control.waitFor();
  for (let presses = 0; presses < 120; presses += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reached ${control}`);
}

/** Does something by its name in the command palette. */
async function command(page: Page, name: string) {
  await page.keyboard.press("Control+k");
  await page.getByRole("textbox", { name: "Search commands" }).waitFor();
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
}

test("somebody joins, logs out, logs in and finds their way", async ({ browser, api, baseURL }) => {
  const { url } = await api.post<{ url: string }>("/invitations", { email: VIC.email, role: "viewer" });
  const context = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(url);
  await tabTo(page, page.getByLabel("Your name"));
  await page.keyboard.type(VIC.name);
  await tabTo(page, page.getByRole("textbox", { name: "Password", exact: true }));
  await page.keyboard.type(VIC.password);
  await tabTo(page, page.getByRole("textbox", { name: "The same again" }));
  await page.keyboard.type(VIC.password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await command(page, "Log out");
  await tabTo(page, page.getByRole("textbox", { name: "E-mail" }));
  await page.keyboard.type(VIC.email);
  await tabTo(page, page.getByRole("textbox", { name: "Password", exact: true }));
  await page.keyboard.type(VIC.password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await expect(page.getByRole("heading", { level: 1, name: "Agents" })).toBeVisible();
  await context.close();
});

test("an agent is made, found and talked to", async ({ page, api }) => {
  await scripted(api);
  await page.goto("/");
  await settled(page);
  await command(page, "Create an agent");
  await tabTo(page, page.getByRole("textbox", { name: "Name" }));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Keys");
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Make Keys" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Say hello to Keys" })).toBeVisible();
  await tabTo(page, page.getByRole("textbox", { name: "Message to Keys" }));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("what did you do?");
  await page.keyboard.press("Enter");
  const conversation = page.getByRole("log", { name: "Conversation with Keys" });
  await expect(conversation.getByText("what did you do?")).toBeVisible();
  await expect(conversation.getByText("Keys", { exact: true })).toBeVisible();
});

test("an agent is asked something in the chat", async ({ page, api }) => {
  await api.agent("Stream", { model: await scripted(api) });
  await page.goto("/");
  await settled(page);
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await tabTo(page, page.getByRole("combobox", { name: "With" }));
  await page.keyboard.press("ArrowDown");
  const wanted = page.getByRole("option", { name: "Stream", exact: true });
  await wanted.waitFor();
  while ((await wanted.getAttribute("data-combobox-selected")) === null) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("textbox", { name: "Message to Stream" }));
  await page.keyboard.type("nothing but keys");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Messages" })).toContainText("You said: ");
});

test("a question is found and decided", async ({ page, api }) => {
  const agent = await api.agent("Cleo", { model: await scripted(api), reply_policy: "approve" });
  await bot(api, [agent.id]);
  await outside.say(UMA, "Only the keyboard, please");
  await page.goto("/");
  await settled(page);
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  const card = page.getByRole("article").filter({ hasText: "Only the keyboard" });
  await tabTo(page, card.getByRole("button", { name: "Approve" }));
  await page.keyboard.press("Enter");
  await outside.await(UMA, "You said: ");
});

test("a list is walked with j, k and enter", async ({ page }) => {
  await page.goto("/inbox");
  await settled(page);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/work-items\//);
});
