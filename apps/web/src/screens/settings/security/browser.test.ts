import { describe, expect, it } from "vitest";
import { browserOf } from "./browser";

describe("a user agent", () => {
  it("is told as people call it", () => {
    const chrome =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    expect(browserOf(chrome)).toBe("Chrome on Linux");
    expect(browserOf(`${chrome} Edg/142.0.0.0`)).toBe("Edge on Linux");
    expect(
      browserOf(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
      ),
    ).toBe("Safari on iOS");
  });

  it("of a program is its own name", () => {
    expect(browserOf("curl/8.5.0")).toBe("curl/8.5.0");
    expect(browserOf(null)).toBe("Unknown program");
  });
});
