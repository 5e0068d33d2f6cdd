// The days a cost screen looks at. They live in the URL as two UTC days, because costs and budgets are counted by
// UTC day on the server.

export type Range = { from: string; to: string };

const DAY = 24 * 60 * 60 * 1000;
/** The server answers for no longer than this. */
export const LONGEST_DAYS = 366;

export const PRESETS = [
  { days: 7, label: "7 days" },
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
] as const;

export function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** The last so many days, today included. */
export function lastDays(days: number, now: number): Range {
  return { from: dayOf(now - (days - 1) * DAY), to: dayOf(now) };
}

/** Which preset the range is, so that its button shows as chosen. */
export function presetOf(range: Range, now: number): number | null {
  if (range.to !== dayOf(now)) return null;
  return PRESETS.find(({ days }) => days === countDays(range))?.days ?? null;
}

export function countDays(range: Range): number {
  return Math.round((Date.parse(range.to) - Date.parse(range.from)) / DAY) + 1;
}

/** Every day of the range, in order. */
export function daysOf(range: Range): string[] {
  const first = Date.parse(range.from);
  return Array.from({ length: Math.max(0, countDays(range)) }, (_, index) => dayOf(first + index * DAY));
}

/** What the URL says, or the last 30 days where it says nothing usable. */
export function rangeFrom(search: { from?: unknown; to?: unknown }, now: number): Range {
  const range = { from: search.from, to: search.to };
  if (!isDay(range.from) || !isDay(range.to)) return lastDays(30, now);
  const days = countDays({ from: range.from, to: range.to });
  if (days < 1 || days > LONGEST_DAYS) return lastDays(30, now);
  return { from: range.from, to: range.to };
}

export function isDay(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const instant = Date.parse(value);
  // `2026-02-31` parses as a day in March in some engines.
  return !Number.isNaN(instant) && dayOf(instant) === value;
}

/** As the API wants it: from the first instant of the first day to the first instant after the last. */
export function instants(range: Range): Range {
  return { from: `${range.from}T00:00:00Z`, to: `${dayOf(Date.parse(range.to) + DAY)}T00:00:00Z` };
}
