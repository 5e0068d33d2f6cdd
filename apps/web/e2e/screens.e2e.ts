// Every screen, filled by the flows before: looked at by axe and photographed in light, in dark and on a phone. A screen
// that scrolls sideways on a phone is broken, too.
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import type { Api } from "./support/api";
import { expectAccessible } from "./support/axe";
import { SETTINGS } from "./support/settings";
import { settled, test } from "./support/test";

const LOOKS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "light", hasTouch: true },
} as const;

type Screen = { name: string; path: (api: Api) => string | Promise<string>; open?: (page: Page) => Promise<void> };
type Row = { id: string; type?: string; agent_id?: string; work_item_id?: string };

const SCREENS: readonly Screen[] = [
  { name: "home", path: () => "/" },
  { name: "inbox", path: () => "/inbox" },
  { name: "work-item", path: async (api) => `/work-items/${(await toolJob(api)).work_item_id}` },
  { name: "job", path: async (api) => `/jobs/${(await toolJob(api)).id}` },
  { name: "chat-new", path: () => "/chat" },
  { name: "chat", path: async (api) => `/chat/${(await first(api, "/conversations", "web")).id}` },
  { name: "agents", path: () => "/agents" },
  { name: "agent-new", path: () => "/agents/new" },
  ...["overview", "instructions", "behaviour", "sprite", "activity", "access"].map((tab) => ({
    name: `agent-${tab}`,
    path: async (api: Api) => `/agents/${(await toolJob(api)).agent_id}?tab=${tab}`,
  })),
  { name: "integrations", path: () => "/integrations" },
  { name: "integration-new", path: () => "/integrations/new" },
  { name: "integration", path: async (api) => `/integrations/${(await first(api, "/integrations", "telegram")).id}` },
  { name: "effects", path: () => "/effects" },
  { name: "effect", path: async (api) => `/effects?id=${(await first(api, "/effects")).id}` },
  { name: "approvals", path: () => "/approvals" },
  { name: "approval", path: async (api) => `/approvals?id=${(await first(api, "/approvals")).id}` },
  { name: "costs", path: () => "/costs" },
  { name: "audit", path: () => "/audit" },
  {
    name: "audit-entry",
    path: () => "/audit",
    open: (page) => page.getByRole("row").nth(1).getByRole("button").first().click(),
  },
  ...["security", "tokens", "people", "providers", "sso", "retention", "about"].map((section) => ({
    name: `settings-${section}`,
    path: () => `/settings/${section}`,
  })),
  {
    name: "token-new",
    path: () => "/settings/tokens",
    open: (page) => page.getByRole("button", { name: "New token" }).first().click(),
  },
  {
    name: "palette",
    path: () => "/",
    open: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("textbox", { name: "Search commands" }).waitFor();
    },
  },
  {
    name: "shortcuts",
    path: () => "/",
    open: async (page) => {
      await page.keyboard.press("Shift+?");
      await page.getByRole("dialog").waitFor();
    },
  },
  { name: "not-found", path: () => "/no/such/page" },
];

async function first(api: Api, list: string, type?: string): Promise<Row> {
  const { items } = await api.get<{ items: Row[] }>(`${list}?limit=100`);
  const found = items.find((item) => type === undefined || item.type === type);
  if (!found) throw new Error(`${list} holds nothing to show: the flows did not run`);
  return found;
}

/** A job that used a tool, because it shows more. */
async function toolJob(api: Api): Promise<Row> {
  const { items } = await api.get<{ items: Row[] }>("/jobs?limit=100");
  for (const job of items) {
    const calls = await api.get<{ items: unknown[] }>(`/jobs/${job.id}/tool-calls?limit=1`);
    if (calls.items.length > 0) return job;
  }
  throw new Error("no job used a tool: the flows did not run");
}

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    test.use(options);
    for (const screen of SCREENS) {
      test(screen.name, async ({ page, api }) => {
        await page.goto(await screen.path(api));
        await settled(page);
        await screen.open?.(page);
        await settled(page);
        await page.screenshot({ path: path.join(SETTINGS.screenshots, `${screen.name}.${look}.png`) });
        // Where something could not be loaded there is little to look at.
        await expect(page.getByRole("alert")).toHaveCount(0);
        await expectAccessible(page);
        const sideways = await page.evaluate(() => {
          const main = document.getElementById("main") ?? document.body;
          return Math.max(
            main.scrollWidth - main.clientWidth,
            document.documentElement.scrollWidth - window.innerWidth,
          );
        });
        expect(sideways, "pixels that the screen scrolls sideways").toBeLessThanOrEqual(0);
      });
    }
  });
}
