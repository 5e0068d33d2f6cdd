// Chat: tokens are seen as they come, a reload and a lost connection in the middle lose and double nothing, and a run
// can be stopped from its own page.
import type { Page } from "@playwright/test";
import { scripted } from "../support/arrange";
import { expect, test } from "../support/test";

/** Seconds of writing: long enough for a person to reload. */
const LINES = 250;

async function say(page: Page, name: string, text: string) {
  const box = page.getByRole("textbox", { name: `Message to ${name}` });
  await box.fill(text);
  await box.press("Enter");
}

function lines(text: string): number[] {
  return [...text.matchAll(new RegExp(`line (\\d+) of ${LINES}`, "g"))].map((match) => Number(match[1]));
}

test.describe("an answer that is being written", () => {
  // The browser says so itself while it is offline.
  test.use({ expectedComplaints: [/ERR_INTERNET_DISCONNECTED/, /ERR_NETWORK/] });

  test("survives a reload and a lost connection without losing or doubling a line", async ({ page, context, api }) => {
    const agent = await api.agent("Stream", { model: await scripted(api) });
    await page.goto(`/chat?agent_id=${agent.id}`);
    await say(page, "Stream", `count to ${LINES}`);
    const messages = page.getByRole("list", { name: "Messages" });
    await expect(messages).toContainText(`line 5 of ${LINES}`);
    await expect(messages).not.toContainText(`line ${LINES} of ${LINES}`);

    await page.reload();
    await expect(messages).toContainText(`line 20 of ${LINES}`);
    await expect(messages).not.toContainText(`line ${LINES} of ${LINES}`);

    await context.setOffline(true);
    await expect(page.getByText(/^(Reconnecting|Offline)$/).first()).toBeVisible();
    await context.setOffline(false);
    await expect(messages).toContainText(`line ${LINES} of ${LINES}`, { timeout: 30_000 });
    await expect(messages.getByText("Running")).toHaveCount(0);

    const whole = Array.from({ length: LINES }, (_, index) => index + 1);
    expect(lines((await messages.textContent()) ?? "")).toEqual(whole);
    await page.reload();
    await expect(messages).toContainText(`line ${LINES} of ${LINES}`);
    expect(lines((await messages.textContent()) ?? "")).toEqual(whole);
  });
});

test("a run is stopped from its own page", async ({ page, api }) => {
  const agent = await api.agent("Stream", { model: await scripted(api) });
  await page.goto(`/chat?agent_id=${agent.id}`);
  await say(page, "Stream", "count to 900");
  await expect(page.getByRole("list", { name: "Messages" })).toContainText("line 3 of 900");
  await page.getByRole("link", { name: "Watch the job" }).click();
  await expect(page.getByText("line 5 of 900")).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel job" }).click();
  await expect(page.getByText("The job is cancelled.")).toBeAttached();
});
