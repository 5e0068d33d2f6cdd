// The browser tests: the real server binary, the stand-ins of `xtask/outside` and Debian's Chromium. `cargo xtask e2e`
// builds what they need and says where it is; all tests share one server, because that is how people use it.
import { defineConfig } from "@playwright/test";
import { SETTINGS } from "./e2e/support/settings";

export default defineConfig({
  testDir: "e2e",
  outputDir: SETTINGS.output,
  globalSetup: "./e2e/support/world.ts",
  // One server with one history: what runs at the same time would be seen by the other.
  workers: 1,
  forbidOnly: true,
  // A build machine may stand still for longer than any patience here; what fails twice is broken.
  retries: process.env.CI ? 1 : 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    actionTimeout: 15_000,
    trace: "retain-on-failure",
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: {
      executablePath: SETTINGS.chromium,
      // Chromium's own sandbox refuses to run as root.
      chromiumSandbox: !SETTINGS.isRoot,
      args: [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "first-run", testMatch: /first-run\.e2e\.ts$/ },
    { name: "flows", testMatch: /flows\/.*\.e2e\.ts$/, dependencies: ["first-run"] },
    // Looks at every screen once the flows have filled it.
    { name: "screens", testMatch: /screens\.e2e\.ts$/, dependencies: ["flows"] },
  ],
});
