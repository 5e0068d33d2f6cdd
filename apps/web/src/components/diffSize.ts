// How many lines a unified diff changes. It compares nothing, because every line of a transcript may ask for it.

/** Which file it is, before the first change. */
export const HEADER = /^(?:--- |\+\+\+ |diff |index |Index: |=====)/;

/** How many lines came and went. */
export function diffSize(unified: string): { added: number; removed: number } {
  const size = { added: 0, removed: 0 };
  let inHunk = false;
  for (const line of unified.split("\n")) {
    if (line.startsWith("@@ ")) inHunk = true;
    else if (!inHunk && HEADER.test(line)) continue;
    else if (line.startsWith("+")) size.added += 1;
    else if (line.startsWith("-")) size.removed += 1;
  }
  return size;
}
