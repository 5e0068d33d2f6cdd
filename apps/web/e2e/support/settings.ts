// What the runner of the tests was told by `cargo xtask e2e`. Read in one place, so that a missing one is named.
import path from "node:path";

function told(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run the browser tests with: cargo xtask e2e`);
  return value;
}

const target = told("E2E_TARGET");

export const SETTINGS = {
  chromium: told("E2E_CHROMIUM"),
  /** The server. */
  server: told("E2E_SERVER"),
  /** The stand-ins. */
  outside: told("E2E_OUTSIDE"),
  output: path.join(target, "e2e"),
  screenshots: path.join(target, "screenshots"),
  isRoot: process.getuid?.() === 0,
};
