// Every screen that an address leads to, filled by the flows before, in every look. Moments in between, such as a
// question that waits, are looked at where the flows meet them.
import { expect, type Page } from "@playwright/test";
import type { Api } from "./support/api";
import { inspect, LOOKS } from "./support/look";
import { OWNER, settled, test } from "./support/test";

type Screen = { name: string; path: (api: Api) => string | Promise<string>; open?: (page: Page) => Promise<void> };
type Row = { id: string; type?: string; agent_id?: string; work_item_id?: string };

const SCREENS: readonly Screen[] = [
  { name: "home", path: () => "/" },
  { name: "inbox", path: () => "/inbox" },
  { name: "work-item", path: async (api) => `/work-items/${(await toolJob(api)).work_item_id}` },
  { name: "job", path: async (api) => `/jobs/${(await toolJob(api)).id}` },
  {
    name: "job-tool",
    path: async (api) => `/jobs/${(await toolJob(api)).id}`,
    open: (page) => page.getByRole("region", { name: "Timeline" }).locator("button[aria-expanded]").first().click(),
  },
  {
    name: "hand-in-work",
    path: () => "/inbox",
    open: (page) => page.getByRole("button", { name: "Hand in work" }).click(),
  },
  { name: "chat-new", path: () => "/chat" },
  { name: "chat", path: async (api) => `/chat/${(await first(api, "/conversations", "web")).id}` },
  { name: "agents", path: () => "/agents" },
  { name: "agent-new", path: () => "/agents/new" },
  ...["overview", "instructions", "behaviour", "sprite", "activity", "access"].map((tab) => ({
    name: `agent-${tab}`,
    path: async (api: Api) => `/agents/${(await toolJob(api)).agent_id}?tab=${tab}`,
  })),
  ...["terminal", "running", "checkpoints", "network"].map((part) => ({
    name: `agent-sprite-${part}`,
    path: async (api: Api) => `/agents/${(await toolJob(api)).agent_id}?tab=sprite&part=${part}`,
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
    name: "provider-new",
    path: () => "/settings/providers",
    open: (page) => page.getByRole("button", { name: "Add provider" }).first().click(),
  },
  {
    name: "user-menu",
    path: () => "/",
    open: async (page) => {
      // On a phone it stands behind "More".
      const more = page.getByRole("button", { name: "More" });
      if (await more.isVisible()) await more.click();
      await page.getByRole("button", { name: OWNER.name }).filter({ visible: true }).click();
      await page.getByRole("menuitem", { name: "Log out" }).waitFor();
    },
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
    test.use({ ...options, hasTouch: look === "phone" });
    for (const screen of SCREENS) {
      test(screen.name, async ({ page, api }) => {
        await page.goto(await screen.path(api));
        await settled(page);
        await screen.open?.(page);
        await settled(page);
        // Where something could not be loaded there is little to look at.
        await expect(page.getByRole("alert")).toHaveCount(0);
        await inspect(page, `${screen.name}.${look}`);
      });
    }
  });

  test.describe(`${look}, logged out`, () => {
    test.use({ ...options, storageState: { cookies: [], origins: [] } });
    test("login", async ({ page }) => {
      await page.goto("/login");
      await settled(page);
      await inspect(page, `login.${look}`);
    });
    test("dead link", async ({ page }) => {
      await page.goto("/welcome#token=used-up");
      await settled(page);
      await inspect(page, `dead-link.${look}`);
    });
  });
}
