// A wrong countdown lets a question expire unseen.
import { expect, it } from "vitest";
import { remaining } from "./remaining";

const NOW = Date.parse("2026-11-23T10:00:00Z");

function after(milliseconds: number) {
  return remaining(new Date(NOW + milliseconds).toISOString(), NOW);
}

it("counts coarsely while there is time and by the second at the end", () => {
  expect(after(26 * 3600_000).text).toBe("Expires in 1 d 2 h");
  expect(after(24 * 3600_000).text).toBe("Expires in 1 d");
  expect(after(3600_000 + 5 * 60_000).text).toBe("Expires in 1 h 5 min");
  expect(after(4 * 60_000 + 3000).text).toBe("Expires in 4 min 3 s");
  expect(after(9_400).text).toBe("Expires in 9 s");
});

it("is urgent in the last five minutes and over at the end", () => {
  expect(after(6 * 60_000).isUrgent).toBe(false);
  expect(after(299_000).isUrgent).toBe(true);
  expect(after(0)).toMatchObject({ isOver: true, text: "Expired: counts as denied", nextChange: null });
});

it("asks to be looked at again just after its text changes", () => {
  const first = after(9_400);
  expect(first.nextChange).toBe(401);
  expect(after(9_400 - (first.nextChange ?? 0)).text).toBe("Expires in 8 s");
});
