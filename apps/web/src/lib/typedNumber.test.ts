import { expect, it } from "vitest";
import { typedNumber } from "./typedNumber";

it("reads what a number field holds, half typed or whole", () => {
  expect(["0.", "0.50", "05", 7].map(typedNumber)).toEqual([0, 0.5, 5, 7]);
  expect(["", "-", "."].map(typedNumber)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});
