// Output of commands is untrusted text: whatever comes, only its characters and colours get through.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allLines, ansiLines, moreAnsi, NO_ANSI } from "./ansiText";

const text = (line: ReturnType<typeof ansiLines>[number] | undefined) => (line ?? []).map((run) => run.text).join("");

describe("ANSI text", () => {
  it("reads colours and weights, and carries them over line ends", () => {
    expect(ansiLines("plain \u001b[1;31mred\nstill\u001b[0m off")).toEqual([
      [
        { text: "plain ", style: {} },
        { text: "red", style: { bold: true, fg: 1 } },
      ],
      [
        { text: "still", style: { bold: true, fg: 1 } },
        { text: " off", style: {} },
      ],
    ]);
  });

  it("reads bright, indexed and true colours", () => {
    const styles = (raw: string) => ansiLines(raw)[0]?.map((run) => run.style);
    expect(styles("\u001b[92mx")).toEqual([{ fg: 10 }]);
    expect(styles("\u001b[38;5;208mx")).toEqual([{ fg: "#ff8700" }]);
    expect(styles("\u001b[48;2;1;2;300mx")).toEqual([{ bg: "#0102ff" }]);
    expect(styles("\u001b[38;5;3;4mx")).toEqual([{ fg: 3, underline: true }]);
    expect(styles("\u001b[38;5;244mx")).toEqual([{ fg: "#808080" }]);
  });

  it("overwrites a line at a carriage return and keeps CRLF lines", () => {
    expect(ansiLines("10 %\r50 %\r\u001b[32m100 %\r\ndone\r\n").map(text)).toEqual(["100 %", "done"]);
    expect(text(ansiLines("a\r\u001b[1mb")[0])).toBe("b");
  });

  it("drops sequences that would move, hide or name anything", () => {
    const raw = "a\u001b[2Jb\u001b]0;title\u0007c\u001b]8;;http://evil\u001b\\d\u001b(Be\u0008f\u001b[?25lg\u0000";
    expect(text(ansiLines(raw)[0])).toBe("abcdefg");
  });

  it("shows nothing of a sequence whose end has not come", () => {
    expect(text(moreAnsi(NO_ANSI, "ok\u001b[3").last ?? [])).toBe("ok");
    expect(allLines(moreAnsi(moreAnsi(NO_ANSI, "ok\u001b[3"), "1mred"))).toEqual(ansiLines("ok\u001b[31mred"));
  });

  it("reads the same however the text is cut into pieces", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "\n",
        "\r\n",
        "\r",
        "\u001b[1m",
        "\u001b[0m",
        "\u001b[38;5;99m",
        "\u001b[K",
        "\u001b]0;t\u0007",
        "\u001b",
      ),
    );
    fc.assert(
      fc.property(fc.array(word), fc.array(fc.nat(60)), (words, cuts) => {
        const whole = words.join("");
        const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, place) => whole.slice(places[place], end));
        expect(allLines(pieces.reduce(moreAnsi, NO_ANSI))).toEqual(ansiLines(whole));
      }),
    );
  });
});
