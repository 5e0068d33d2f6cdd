import { describe, expect, it } from "vitest";
import { absoluteTime, bytes, count, duration, money, relativeTime, shortId, titleOf, tokens } from "./format";

describe("money", () => {
  it("shows cents, and more digits only where cents would say nothing", () => {
    expect(money(0)).toBe("$0.00");
    expect(money(12_345_678_900)).toBe("$12,345.68");
    expect(money(120_000)).toBe("$0.12");
    expect(money(12_300)).toBe("$0.0123");
    expect(money(42)).toBe("$0.000042");
    expect(money(-1_500_000)).toBe("-$1.50");
  });
});

describe("tokens", () => {
  it("are shortened without pretending", () => {
    expect(tokens(0)).toBe("0");
    expect(tokens(999)).toBe("999");
    expect(tokens(1_000)).toBe("1k");
    expect(tokens(12_345)).toBe("12.3k");
    expect(tokens(999_949)).toBe("1000k");
    expect(tokens(999_950)).toBe("1M");
    expect(tokens(1_234_567)).toBe("1.2M");
  });
});

describe("a duration", () => {
  it("has two units at most, and never sixty of one", () => {
    expect(duration(-5)).toBe("0 ms");
    expect(duration(850)).toBe("850 ms");
    expect(duration(4_200)).toBe("4.2 s");
    expect(duration(59_940)).toBe("59.9 s");
    expect(duration(59_960)).toBe("1 min");
    expect(duration(185_000)).toBe("3 min 5 s");
    expect(duration(7_440_000)).toBe("2 h 4 min");
    expect(duration(86_400_000 * 3 + 3_600_000)).toBe("3 d 1 h");
  });
});

describe("a size", () => {
  it("is in the unit that keeps it short", () => {
    expect(bytes(512)).toBe("512 B");
    expect(bytes(1_400)).toBe("1.4 KB");
    expect(bytes(999_600)).toBe("1 MB");
    expect(bytes(20_000_000)).toBe("20 MB");
  });
});

describe("an instant", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");

  it("is told by its distance from now", () => {
    expect(relativeTime("2026-11-23T11:59:55Z", now)).toBe("just now");
    expect(relativeTime("2026-11-23T11:59:30Z", now)).toBe("30 s ago");
    expect(relativeTime("2026-11-23T11:01:00Z", now)).toBe("59 min ago");
    expect(relativeTime("2026-11-23T14:30:00Z", now)).toBe("in 2 h");
    expect(relativeTime("2026-11-20T12:00:00Z", now)).toBe("3 d ago");
  });

  it("has a zone when told in full", () => {
    expect(absoluteTime("2026-11-23T12:00:00Z")).toMatch(/2026.*\d\d:\d\d:\d\d .+/);
  });
});

describe("an id", () => {
  it("is shortened to its end, because ids made together begin alike", () => {
    expect(shortId("0198c0de-0000-7000-8000-00000000a001")).toBe("0000a001");
    expect(shortId("short")).toBe("short");
  });
});

describe("a count", () => {
  it("agrees with its noun", () => {
    expect(count(1, "job")).toBe("1 job");
    expect(count(1_234, "reply", "replies")).toBe("1,234 replies");
  });
});

describe("a title", () => {
  it("is what was asked, on one line, or the bare word where nothing was", () => {
    expect(titleOf("  Where is\nmy parcel? ")).toBe("Where is my parcel?");
    expect(titleOf("x".repeat(80))).toBe(`${"x".repeat(63)}…`);
    expect(titleOf(undefined)).toBe("Job");
    expect(titleOf(" \n ")).toBe("Job");
  });
});
