// Ranges come from URLs, which people edit.
import { expect, it } from "vitest";
import { countDays, daysOf, isDay, lastDays, presetOf, rangeFrom } from "./range";

const NOW = Date.parse("2026-11-23T23:30:00Z");

it("counts days with both ends, across a change of clocks", () => {
  expect(countDays({ from: "2026-10-24", to: "2026-10-26" })).toBe(3);
  expect(daysOf({ from: "2026-10-24", to: "2026-10-26" })).toEqual(["2026-10-24", "2026-10-25", "2026-10-26"]);
});

it("looks at the last thirty days where the URL says nothing usable", () => {
  const usual = { from: "2026-10-25", to: "2026-11-23" };
  expect(lastDays(30, NOW)).toEqual(usual);
  for (const search of [{}, { from: "x", to: "2026-11-01" }, { from: "2026-11-09", to: "2026-11-01" }])
    expect(rangeFrom(search, NOW)).toEqual(usual);
  expect(rangeFrom({ from: "2024-01-01", to: "2026-11-01" }, NOW)).toEqual(usual);
  expect(rangeFrom({ from: "2026-11-01", to: "2026-11-09" }, NOW)).toEqual({ from: "2026-11-01", to: "2026-11-09" });
});

it("knows days that do not exist", () => {
  expect(isDay("2026-02-28")).toBe(true);
  expect(isDay("2026-02-31")).toBe(false);
});

it("recognises a preset only when it ends today", () => {
  expect(presetOf(lastDays(7, NOW), NOW)).toBe(7);
  expect(presetOf({ from: "2026-11-10", to: "2026-11-16" }, NOW)).toBeNull();
  expect(presetOf(lastDays(8, NOW), NOW)).toBeNull();
});
