// Reads a unified diff into numbered lines and marks the words that changed inside a changed line. A diff that was
// cut, or is no diff at all, is shown as far as it can be read; it never fails.
import { diffWordsWithSpace, structuredPatch } from "diff";
import { HEADER } from "./diffSize";

export type DiffRun = { readonly text: string; readonly changed: boolean };
export type DiffLine = {
  readonly kind: "same" | "added" | "removed" | "gap" | "note";
  readonly oldNumber: number | null;
  readonly newNumber: number | null;
  readonly runs: readonly DiffRun[];
};

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/;
/** Comparing long lines word by word costs more than it shows. */
const MOST_COMPARED = 2_000;

export function diffLines(unified: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let oldNumber = 0;
  let newNumber = 0;
  let inHunk = false;
  for (const raw of unified.replace(/\n$/, "").split("\n")) {
    const hunk = HUNK.exec(raw);
    if (hunk !== null) {
      oldNumber = Number(hunk[1]);
      newNumber = Number(hunk[2]);
      if (lines.length > 0) lines.push(line("gap", "⋯"));
      inHunk = true;
    } else if (!inHunk && HEADER.test(raw)) {
      // Which file it is, is said above the diff.
    } else if (raw.startsWith("+")) {
      lines.push(line("added", raw.slice(1), null, newNumber++));
    } else if (raw.startsWith("-")) {
      lines.push(line("removed", raw.slice(1), oldNumber++, null));
    } else if (raw.startsWith(" ") || (inHunk && raw === "")) {
      lines.push(line("same", raw.slice(1), oldNumber++, newNumber++));
    } else {
      lines.push(line("note", raw.replace(/^\\ /, "")));
    }
  }
  return withWords(lines);
}

/** The diff between two texts, before the tool that makes it has answered. */
export function diffBetween(before: string, after: string): string {
  return structuredPatch("", "", before, after, "", "", { context: 3 })
    .hunks.map((hunk) =>
      [`@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`, ...hunk.lines].join("\n"),
    )
    .join("\n");
}

function line(
  kind: DiffLine["kind"],
  text: string,
  oldNumber: number | null = null,
  newNumber: number | null = null,
): DiffLine {
  return { kind, oldNumber, newNumber, runs: [{ text, changed: false }] };
}

/** Marks words where as many lines were removed as added right behind them: those belong together. */
function withWords(lines: readonly DiffLine[]): DiffLine[] {
  const marked = [...lines];
  let place = 0;
  while (place < lines.length) {
    const removed = countFrom(lines, place, "removed");
    const added = countFrom(lines, place + removed, "added");
    if (removed > 0 && removed === added) {
      for (let pair = place; pair < place + removed; pair += 1) markPair(marked, pair, pair + removed);
    }
    place += Math.max(1, removed + added);
  }
  return marked;
}

function countFrom(lines: readonly DiffLine[], from: number, kind: DiffLine["kind"]): number {
  let count = 0;
  while (lines[from + count]?.kind === kind) count += 1;
  return count;
}

function markPair(lines: DiffLine[], oldPlace: number, newPlace: number): void {
  const before = lines[oldPlace];
  const after = lines[newPlace];
  const oldText = before?.runs[0]?.text ?? "";
  const newText = after?.runs[0]?.text ?? "";
  if (before === undefined || after === undefined || oldText.length + newText.length > MOST_COMPARED) return;
  const changes = diffWordsWithSpace(oldText, newText);
  const kept = changes
    .filter((change) => !change.added && !change.removed)
    .reduce((sum, change) => sum + change.value.length, 0);
  // Two lines that share little are two lines, not one that changed.
  if (kept * 3 < Math.max(oldText.length, newText.length)) return;
  const runs = (skip: "added" | "removed", mark: "added" | "removed"): DiffRun[] =>
    changes.filter((change) => !change[skip]).map((change) => ({ text: change.value, changed: change[mark] }));
  lines[oldPlace] = { ...before, runs: runs("added", "removed") };
  lines[newPlace] = { ...after, runs: runs("removed", "added") };
}
