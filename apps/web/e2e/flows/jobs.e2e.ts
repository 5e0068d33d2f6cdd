// A job's own page while it runs: text and output as they come, through a reload and a lost connection.
import path from "node:path";
import type { Page } from "@playwright/test";
import type { Api } from "../support/api";
import { scripted } from "../support/arrange";
import { SETTINGS } from "../support/settings";
import { expect, test } from "../support/test";

/** Seconds of writing: long enough for a person to reload. */
const LINES = 250;

type Jobs = { items: { id: string; work_item_id: string }[] };

async function begin(page: Page, api: Api, text: string) {
  const agent = await api.agent("Worker", { model: await scripted(api) });
  const item = await api.post<{ id: string }>("/work-items", { text, agent_ids: [agent.id] });
  let job = "";
  await expect(async () => {
    const { items } = await api.get<Jobs>(`/jobs?work_item_id=${item.id}`);
    job = items[0]?.id ?? "";
    expect(job).not.toBe("");
  }).toPass();
  await page.goto(`/jobs/${job}`);
  return page.getByRole("main");
}

function lines(text: string): number[] {
  return [...text.matchAll(new RegExp(`line (\\d+) of ${LINES}`, "g"))].map((match) => Number(match[1]));
}

test.describe("a job that is writing", () => {
  // The browser says so itself while it is offline.
  test.use({ expectedComplaints: [/ERR_INTERNET_DISCONNECTED/, /ERR_NETWORK/] });

  test("loses and doubles no line through a reload and a lost connection", async ({ page, context, api }) => {
    const main = await begin(page, api, `count to ${LINES}`);
    await expect(main).toContainText(`line 5 of ${LINES}`);
    await expect(main).not.toContainText(`line ${LINES} of ${LINES}`);
    await page.reload();
    await expect(main).toContainText(`line 15 of ${LINES}`);
    await context.setOffline(true);
    await expect(page.getByText(/^(Reconnecting|Offline)$/).first()).toBeVisible();
    await context.setOffline(false);
    await expect(main).toContainText(`line ${LINES} of ${LINES}`, { timeout: 30_000 });
    await expect(page.getByText("The job is completed.")).toBeAttached();
    const whole = Array.from({ length: LINES }, (_, index) => index + 1);
    const article = page.getByText(`line 1 of ${LINES}`, { exact: true });
    await expect(article).toHaveCount(1);
    const shown = () =>
      page
        .locator("p")
        .filter({ hasText: /^line / })
        .allTextContents();
    expect(lines((await shown()).join("\n"))).toEqual(whole);
    await page.reload();
    await expect(main).toContainText(`line ${LINES} of ${LINES}`);
    expect(lines((await shown()).join("\n"))).toEqual(whole);
  });
});

test("a command's output is seen while it runs, and across a reload", async ({ page, api }) => {
  const main = await begin(page, api, "run `for i in $(seq 1 12); do echo out-$i-end; sleep 0.4; done`");
  const card = main.getByRole("button", { name: /bash/ });
  await card.click();
  await expect(main).toContainText("out-3-end");
  await expect(main).not.toContainText("out-12-end");
  await page.screenshot({ path: path.join(SETTINGS.screenshots, "job-running.light.png") });
  await page.reload();
  await card.click();
  await expect(main).toContainText("out-12-end", { timeout: 20_000 });
  await expect(page.getByText("The job is completed.")).toBeAttached();
});

test("a run that is stopped stops", async ({ page, api }) => {
  const main = await begin(page, api, "count to 900");
  await expect(main).toContainText("line 5 of 900");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel job" }).click();
  await expect(page.getByText("The job is cancelled.")).toBeAttached();
});
