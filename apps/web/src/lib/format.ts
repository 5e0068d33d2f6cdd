// How amounts, tokens, durations, sizes and ids read everywhere in the app.

const MICROS = 1_000_000;

/** Millionths of a US dollar: cents as usual, and more digits only where cents would say nothing. */
export function money(micros: number): string {
  const dollars = micros / MICROS;
  const size = Math.abs(dollars);
  const digits = size === 0 || size >= 0.1 ? 2 : size >= 0.001 ? 4 : 6;
  const text = size.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${dollars < 0 ? "-" : ""}$${text}`;
}

/** A count of tokens: 950, 12.3k, 1.2M. */
export function tokens(count: number): string {
  if (count < 1_000) return String(count);
  if (count < 999_950) return `${oneDigit(count / 1_000)}k`;
  return `${oneDigit(count / 1_000_000)}M`;
}

function oneDigit(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}

/** A span of time: 850 ms, 4.2 s, 3 min 5 s, 2 h 4 min, 3 d 1 h. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 59_950) return `${oneDigit(ms / 1_000)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return two(seconds, 60, "min", "s");
  if (seconds < 86_400) return two(Math.round(seconds / 60), 60, "h", "min");
  return two(Math.round(seconds / 3_600), 24, "d", "h");
}

function two(count: number, per: number, large: string, small: string): string {
  const rest = count % per;
  const whole = `${Math.floor(count / per)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** A size in bytes: 512 B, 1.4 KB, 20 MB. */
export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? value : oneDigit(value)} ${units[unit] ?? ""}`;
}

/** The end of an id: ids made together begin alike, because they begin with the time. */
export function shortId(id: string): string {
  return id.length > 8 ? id.slice(-8) : id;
}

const ABSOLUTE = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "2-digit",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});

/** An instant in full, with its zone. */
export function absoluteTime(at: string | Date): string {
  return ABSOLUTE.format(new Date(at));
}

/** How far an instant is from now: "just now", "4 min ago", "in 2 h", "3 d ago". */
export function relativeTime(at: string | Date, now: number): string {
  const difference = new Date(at).getTime() - now;
  const size = Math.abs(difference);
  if (size < 10_000) return "just now";
  const span = largestUnit(size);
  return difference < 0 ? `${span} ago` : `in ${span}`;
}

function largestUnit(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** "1 job", "3 jobs". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}

const LONGEST_TITLE = 64;

/** Work is called by what was asked, on one line. */
export function titleOf(text: string | undefined): string {
  const line = (text ?? "").trim().split(/\s+/).join(" ");
  if (line === "") return "Job";
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1)}…`;
}
