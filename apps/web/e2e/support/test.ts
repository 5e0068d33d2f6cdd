// The test everybody starts from: logged in as the owner, with an API of the same login, and failing on anything the
// browser complains about: errors in the console, exceptions, violations of the content security policy, answers that
// say the server broke.
import path from "node:path";
import { type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import { Api } from "./api";
import { SETTINGS } from "./settings";

export { expect };

export const OWNER = { name: "Olga Owner", email: "olga@example.com", password: "correct horse battery staple" };
export const OWNER_STATE = path.join(SETTINGS.output, "owner.json");

type Fixtures = {
  api: Api;
  /** Complaints that a test provokes on purpose match one of these. */
  expectedComplaints: RegExp[];
  complaints: string[];
};

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern
  baseURL: async ({}, use) => use(process.env.E2E_URL),
  storageState: OWNER_STATE,
  expectedComplaints: [[], { option: true }],
  api: async ({ context }, use) => use(new Api(context.request)),
  complaints: [
    async ({ context, expectedComplaints }, use) => {
      const complaints = listen(context);
      await use(complaints);
      expect(complaints.filter((complaint) => !expectedComplaints.some((known) => known.test(complaint)))).toEqual([]);
    },
    { auto: true },
  ],
});

/** Collects what the browser complains about on every page of a context. */
export function listen(context: BrowserContext): string[] {
  const complaints: string[] = [];
  context.on("console", (message) => {
    if (message.type() === "error" && !isRefusal(message.text()))
      complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => complaints.push(`exception: ${error.error().stack ?? error.error().message}`));
  context.on("response", (response) => {
    if (response.status() >= 500) complaints.push(`server: ${response.status()} ${response.url()}`);
  });
  return complaints;
}

/** Chromium logs every 4xx; whether the app handles a refusal well is what the tests look at. */
function isRefusal(text: string): boolean {
  return /^Failed to load resource: the server responded with a status of 4\d\d/.test(text);
}

/** Waits until nothing on the page is a placeholder any more. */
export async function settled(page: Page) {
  await expect(page.getByRole("heading", { level: 1 }).first()).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
}
