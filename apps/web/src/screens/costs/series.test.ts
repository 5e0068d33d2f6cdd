// A chart that loses money is worse than none.
import { expect, it } from "vitest";
import { MOST_SERIES, stack } from "./series";

const DAYS = ["2026-11-01", "2026-11-02"];

function cost(day: string, key: string | null, cost_micros: number) {
  return { day, key, label: key ?? "No agent", cost_micros };
}

it("has a row for every day, costs or not", () => {
  const { rows, series } = stack([cost("2026-11-02", "a", 5)], DAYS);
  expect(series).toEqual([{ name: "series0", label: "a" }]);
  expect(rows).toEqual([
    { day: "2026-11-01", series0: 0 },
    { day: "2026-11-02", series0: 5 },
  ]);
});

it("adds up to the same sum when the cheap ones share a colour", () => {
  const items = Array.from({ length: 9 }, (_, index) => cost("2026-11-01", `agent${index}`, index + 1));
  const { rows, series } = stack(items, DAYS);
  expect(series).toHaveLength(MOST_SERIES);
  expect(series.at(-1)).toEqual({ name: "others", label: "All others" });
  const sum = series.reduce((total, { name }) => total + Number(rows[0]?.[name]), 0);
  expect(sum).toBe(45);
});

it("adds what the server left together to the others, however much it is", () => {
  const named = Array.from({ length: 7 }, (_, index) => cost("2026-11-01", `chat${index}`, 1));
  const { rows, series } = stack([cost("2026-11-01", null, 100), ...named], DAYS);
  expect(series.map(({ label }) => label)).toEqual(["chat0", "chat1", "chat2", "chat3", "chat4", "All others"]);
  expect(rows[0]?.others).toBe(102);
});

it("keeps names with dots apart from paths", () => {
  const { rows, series } = stack([cost("2026-11-01", "openai/gpt-5.4", 7)], DAYS);
  expect(series).toEqual([{ name: "series0", label: "openai/gpt-5.4" }]);
  expect(rows[0]?.series0).toBe(7);
});
