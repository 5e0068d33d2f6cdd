// How long a question stays open, as people count: coarse while there is time, by the second at the end.

export type Remaining = {
  text: string;
  /** Little time is left; shown in words too, never by colour alone. */
  isUrgent: boolean;
  isOver: boolean;
  /** Milliseconds after which the text changes; null when it will not. */
  nextChange: number | null;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function remaining(expiresAt: string, now: number): Remaining {
  const left = new Date(expiresAt).getTime() - now;
  if (left <= 0) return { text: "Expired: counts as denied", isUrgent: false, isOver: true, nextChange: null };
  const [unit, step] = unitOf(left);
  const whole = Math.floor(left / unit);
  const rest = Math.floor((left - whole * unit) / step);
  return {
    text: `Expires in ${words(unit, whole, rest)}`,
    isUrgent: left < 5 * MINUTE,
    isOver: false,
    nextChange: (left % step) + 1,
  };
}

function unitOf(left: number): [unit: number, step: number] {
  if (left >= DAY) return [DAY, HOUR];
  if (left >= HOUR) return [HOUR, MINUTE];
  if (left >= MINUTE) return [MINUTE, SECOND];
  return [SECOND, SECOND];
}

function words(unit: number, whole: number, rest: number): string {
  const with_ = (name: string) => (rest === 0 ? "" : ` ${rest} ${name}`);
  if (unit === DAY) return `${whole} d${with_("h")}`;
  if (unit === HOUR) return `${whole} h${with_("min")}`;
  if (unit === MINUTE) return `${whole} min${with_("s")}`;
  return `${whole} s`;
}
