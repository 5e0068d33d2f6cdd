// Text of models and people is data: whatever it holds, it neither runs, loads nor tells anything.
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Markdown } from "./Markdown";

async function shown(text: string) {
  const { container } = render(<Markdown text={`${text}\n\nend`} />, { wrapper: MantineProvider });
  await screen.findByText("end", { selector: "p:not([class])" });
  return container;
}

describe("Markdown", () => {
  it("shows HTML as the text it is", async () => {
    const page = await shown('<img src=x onerror="alert(1)"> <b>bold</b> <script>alert(2)</script>');
    expect(page.querySelector("img, script, b")).toBeNull();
    expect(page.textContent).toContain('onerror="alert(1)"');
  });

  it("shows pictures as links, so that nothing is loaded", async () => {
    const page = await shown("![a map](https://elsewhere.example/map.png)");
    expect(page.querySelector("img")).toBeNull();
    const link = screen.getByRole("link", { name: "Picture: a map" });
    expect(link.getAttribute("href")).toBe("https://elsewhere.example/map.png");
  });

  it("gives links no way back, and scripts none at all", async () => {
    await shown("[good](https://example.org) [bad](javascript:alert(1))");
    expect(screen.getByRole("link", { name: "good" }).getAttribute("rel")).toBe("noopener noreferrer nofollow");
    expect(screen.getByText("bad").getAttribute("href")).toBe("");
  });

  it("shows tables, tasks and code", async () => {
    const page = await shown("| a |\n| - |\n| 1 |\n\n- [x] done\n\n```rust\nfn main() {}\n```\n\n`inline`");
    expect(page.querySelector("td")?.textContent).toBe("1");
    expect(screen.getByRole("checkbox", { name: "done" })).toBeDefined();
    expect(page.querySelector("pre")?.textContent).toBe("fn main() {}");
    expect(screen.getByRole("button", { name: "Copy the code" })).toBeDefined();
    expect(screen.getByText("inline").tagName).toBe("CODE");
  });
});
