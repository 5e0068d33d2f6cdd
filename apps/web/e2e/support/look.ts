// How a screen is looked at: photographed in light, in dark and at the width of a phone, shown to axe each time, and
// measured, because a screen that scrolls sideways on a phone is broken, too.
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { SETTINGS } from "./settings";

const WIDE = { width: 1280, height: 800 };

export const LOOKS = {
  light: { viewport: WIDE, colorScheme: "light" },
  dark: { viewport: WIDE, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "light" },
} as const;

/** Looks at what is shown now, as it is shown now. */
export async function inspect(page: Page, name: string) {
  await page.screenshot({ path: path.join(SETTINGS.screenshots, `${name}.png`) });
  await expectAccessible(page);
  const sideways = await page.evaluate(() => {
    const main = document.getElementById("main") ?? document.body;
    return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - window.innerWidth);
  });
  expect(sideways, "pixels that the screen scrolls sideways").toBeLessThanOrEqual(0);
}

/** Looks at a moment that no address leads to, in every look. */
export async function photographed(page: Page, name: string) {
  for (const [look, { viewport, colorScheme }] of Object.entries(LOOKS)) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await inspect(page, `${name}.${look}`);
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
}
