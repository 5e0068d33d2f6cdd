// When a token ends: a few usual spans, because people think in spans and the server wants an instant.

const DAY = 24 * 60 * 60 * 1000;

export const EXPIRIES = [
  { value: "7", label: "in 7 days" },
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
  { value: "never", label: "never" },
] as const;

export type Expiry = (typeof EXPIRIES)[number]["value"];

export function expiresAt(expiry: Expiry, now: number): string | null {
  return expiry === "never" ? null : new Date(now + Number(expiry) * DAY).toISOString();
}
