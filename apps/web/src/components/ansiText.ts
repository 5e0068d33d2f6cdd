// Turns what a command wrote into lines of coloured runs. It understands colours and weights (SGR) and overwriting
// by carriage return; every other control sequence is dropped, so that output can neither move nor hide anything
// outside its own line. Pure, and made to go on where it stopped: running commands write in pieces.

/** A colour of the palette (0 to 15) or `#rrggbb`. */
export type AnsiColor = number | string;

export type AnsiStyle = {
  readonly fg?: AnsiColor;
  readonly bg?: AnsiColor;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly strike?: true;
  readonly reverse?: true;
};

export type AnsiRun = { readonly text: string; readonly style: AnsiStyle };
export type AnsiLine = readonly AnsiRun[];

export type AnsiText = {
  /** Lines that ended. */
  readonly lines: readonly AnsiLine[];
  /** The line that goes on; null right behind a line end. */
  readonly last: AnsiLine | null;
  /** The raw text of that line, and the style it began with: it is read again when more comes. */
  readonly pending: string;
  readonly style: AnsiStyle;
};

const PLAIN: AnsiStyle = {};
export const NO_ANSI: AnsiText = { lines: [], last: null, pending: "", style: PLAIN };

const ESC = "\u001b";
/** Colour sequences are kept apart; other sequences and control characters are matched to be dropped. */
const SEQUENCE = new RegExp(
  [
    `${ESC}\\[([\\d;:]*)m`,
    `${ESC}\\[[0-?]*[ -/]*[@-~]`,
    `${ESC}[\\]PX^_][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)?`,
    `${ESC}[ -/]*[0-~]`,
    "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]",
  ].join("|"),
  "g",
);
/** A sequence whose end has not come yet. */
const UNFINISHED = new RegExp(`${ESC}(?:\\[[\\d;:?]*|[\\]PX^_][^\\u0007${ESC}]*)?$`);

/** Goes on with more text. */
export function moreAnsi(before: AnsiText, text: string): AnsiText {
  const raw = (before.pending + text).split("\n");
  const pending = raw.pop() ?? "";
  const lines = [...before.lines];
  let style = before.style;
  for (const line of raw) {
    const read = readLine(line, style);
    lines.push(read.runs);
    style = read.style;
  }
  const last = pending === "" ? null : readLine(pending.replace(UNFINISHED, ""), style).runs;
  return { lines, last, pending, style };
}

/** A whole text at once. */
export function ansiLines(text: string): readonly AnsiLine[] {
  return allLines(moreAnsi(NO_ANSI, text));
}

/** All lines there are, the one that goes on included. */
export function allLines(text: AnsiText): readonly AnsiLine[] {
  return text.last === null ? text.lines : [...text.lines, text.last];
}

function readLine(raw: string, before: AnsiStyle): { runs: AnsiLine; style: AnsiStyle } {
  let style = before;
  let runs: AnsiRun[] = [];
  let from = 0;
  const say = (text: string) => {
    // What comes after a carriage return overwrites the line; one right before the line end overwrites nothing.
    const parts = text.split("\r");
    parts.forEach((part, place) => {
      if (place > 0 && part !== "") runs = [];
      if (part !== "") runs.push({ text: part, style });
    });
  };
  let returned = false;
  const pieces = (text: string) => {
    if (text === "") return;
    say(returned && !text.startsWith("\r") ? `\r${text}` : text);
    returned = text.endsWith("\r");
  };
  for (const match of raw.matchAll(SEQUENCE)) {
    pieces(raw.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = styled(style, match[1]);
  }
  pieces(raw.slice(from));
  return { runs, style };
}

function styled(before: AnsiStyle, codes: string): AnsiStyle {
  const numbers = codes.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  let style: AnsiStyle = before;
  for (let place = 0; place < numbers.length; place += 1) {
    const code = numbers[place] ?? 0;
    if (code === 38 || code === 48) {
      const { color, used } = extended(numbers.slice(place + 1));
      if (color !== undefined) style = code === 38 ? { ...style, fg: color } : { ...style, bg: color };
      place += used;
    } else {
      style = simple(style, code);
    }
  }
  return style;
}

function simple(style: AnsiStyle, code: number): AnsiStyle {
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 };
  switch (code) {
    case 0:
      return PLAIN;
    case 1:
      return { ...style, bold: true };
    case 2:
      return { ...style, dim: true };
    case 3:
      return { ...style, italic: true };
    case 4:
      return { ...style, underline: true };
    case 7:
      return { ...style, reverse: true };
    case 9:
      return { ...style, strike: true };
    case 22:
      return without(style, "bold", "dim");
    case 23:
      return without(style, "italic");
    case 24:
      return without(style, "underline");
    case 27:
      return without(style, "reverse");
    case 29:
      return without(style, "strike");
    case 39:
      return without(style, "fg");
    case 49:
      return without(style, "bg");
    default:
      return style;
  }
}

function without(style: AnsiStyle, ...keys: (keyof AnsiStyle)[]): AnsiStyle {
  const rest = { ...style };
  for (const key of keys) delete rest[key];
  return rest;
}

/** The colour behind 38 or 48, and how many numbers it took. */
function extended(numbers: readonly number[]): { color?: AnsiColor; used: number } {
  const [kind, first = 0, second = 0, third = 0] = numbers;
  if (kind === 5) return { color: first < 16 ? first : paletteColor(first), used: 2 };
  if (kind === 2) return { color: hex(first, second, third), used: 4 };
  return { used: numbers.length };
}

const LEVELS = [0, 95, 135, 175, 215, 255];

function paletteColor(number: number): string {
  if (number >= 232) {
    const level = 8 + (Math.min(number, 255) - 232) * 10;
    return hex(level, level, level);
  }
  const place = number - 16;
  const level = (digit: number) => LEVELS[digit % 6] ?? 0;
  return hex(level(Math.floor(place / 36)), level(Math.floor(place / 6)), level(place));
}

function hex(...channels: number[]): string {
  const two = (channel: number) => Math.max(0, Math.min(255, channel)).toString(16).padStart(2, "0");
  return `#${channels.map(two).join("")}`;
}
