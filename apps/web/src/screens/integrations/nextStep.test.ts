import { expect, it } from "vitest";
import { CHANNELS } from "./channelTypes";
import { nextStep, testSummary, webhookUrl } from "./nextStep";

const ok = { health: "ok" as const, detail: null };

it("what keeps messages from being answered comes before what works", () => {
  expect(nextStep(ok, false, 1).action).toBe("enable");
  expect(nextStep(ok, true, 0).action).toBe("agents");
  expect(nextStep({ health: "failed", detail: "the bot token is not valid" }, true, 0).action).toBe("edit");
});

it("a connection that works ends with a greeting, reservations or not", () => {
  expect(nextStep(ok, true, null)).toEqual({ tone: "done", title: "It works.", notes: [], action: "hello" });
  const reserved = nextStep({ health: "degraded", detail: "privacy mode is on\nno webhook is registered" }, true, 2);
  expect(reserved.action).toBe("hello");
  expect(reserved.notes).toEqual(["Privacy mode is on", "No webhook is registered"]);
});

it("one that was never tried is to be tried", () => {
  expect(nextStep({ health: "unknown", detail: null }, true, null).action).toBe("test");
});

it("a test is summed up with its account", () => {
  expect(testSummary(CHANNELS.telegram, { health: "ok", account: "@bot", detail: null })).toBe(
    "Connected to Telegram as @bot.",
  );
  expect(testSummary(CHANNELS.telegram, { health: "failed", account: null, detail: "x" })).toMatch(/refused/);
});

it("a webhook has an address only where the server has one", () => {
  expect(webhookUrl("https://n.example.com/", "telegram", "7")).toBe("https://n.example.com/webhooks/telegram/7");
  expect(webhookUrl(null, "telegram", "7")).toBeNull();
});
