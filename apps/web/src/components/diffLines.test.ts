// Diffs come from tools and from models, so anything may come.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffBetween, diffLines } from "./diffLines";
import { diffSize } from "./diffSize";

const shown = (unified: string) =>
  diffLines(unified).map((line) => [
    line.kind,
    line.oldNumber,
    line.newNumber,
    line.runs.map((run) => run.text).join(""),
  ]);

describe("diff lines", () => {
  it("number what is there and leave out the headers", () => {
    const unified = "--- a.txt\n+++ a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n@@ -9 +9,2 @@\n nine\n+ten\n";
    expect(shown(unified)).toEqual([
      ["same", 1, 1, "one"],
      ["removed", 2, null, "two"],
      ["added", null, 2, "2"],
      ["same", 3, 3, "three"],
      ["gap", null, null, "⋯"],
      ["same", 9, 9, "nine"],
      ["added", null, 10, "ten"],
    ]);
    expect(diffSize(unified)).toEqual({ added: 2, removed: 1 });
  });

  it("keep lines that look like headers inside a hunk", () => {
    expect(shown("@@ -1 +1 @@\n--- old\n+++ new")).toEqual([
      ["removed", 1, null, "-- old"],
      ["added", null, 1, "++ new"],
    ]);
  });

  it("mark the words that changed", () => {
    const [before, after] = diffLines("@@ -1 +1 @@\n-const name = one;\n+const name = two;");
    expect(before?.runs).toEqual([
      { text: "const name = ", changed: false },
      { text: "one", changed: true },
      { text: ";", changed: false },
    ]);
    expect(after?.runs.find((run) => run.changed)?.text).toBe("two");
  });

  it("show the note of a diff that was cut", () => {
    expect(shown("@@ -1,9 +1,9 @@\n+a\n[… 7 more lines of the diff cut here …]\n")[1]).toEqual([
      "note",
      null,
      null,
      "[… 7 more lines of the diff cut here …]",
    ]);
  });

  it("hold both texts, to the letter", () => {
    const texts = fc.array(fc.constantFrom("a", "b", "c c", "", "-- x", "++ y"), { maxLength: 12 });
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const ended = (lines: string[]) => lines.map((one) => `${one}\n`).join("");
        const diff = diffBetween(ended(before), ended(after));
        const lines = diffLines(diff);
        for (const line of lines) {
          const text = line.runs.map((run) => run.text).join("");
          if (line.oldNumber !== null) expect(text).toBe(before[line.oldNumber - 1]);
          if (line.newNumber !== null) expect(text).toBe(after[line.newNumber - 1]);
        }
        const count = (kind: string) => lines.filter((line) => line.kind === kind).length;
        expect(count("added") - count("removed")).toBe(after.length - before.length);
        expect(diffSize(diff)).toEqual({ added: count("added"), removed: count("removed") });
      }),
    );
  });

  it("never fail, whatever they are given", () => {
    fc.assert(fc.property(fc.string(), (anything) => Array.isArray(diffLines(anything))));
  });
});
