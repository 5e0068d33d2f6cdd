import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { renderScreen } from "../testing/render";
import { type Filter, FilterBar } from "./FilterBar";

const FILTERS: Filter[] = [
  { kind: "text", name: "text", label: "Search the text" },
  { kind: "select", name: "status", label: "Status", options: [{ value: "open", label: "Open" }] },
];

/** The URL, which what is chosen goes through. */
function Bar({ start, told }: { start: Record<string, string>; told: (values: Record<string, string>) => void }) {
  const [values, setValues] = useState(start);
  return (
    <FilterBar
      filters={FILTERS}
      values={values}
      onChange={(next) => {
        told(next);
        setValues(next);
      }}
    />
  );
}

describe("a filter that came with a link", () => {
  const start = { conversation_id: "c-1", from: "2026-11-01T00:00:00Z" };

  it("stays when another is chosen", async () => {
    const told = vi.fn();
    renderScreen(<Bar start={start} told={told} />);
    fireEvent.change(await screen.findByRole("searchbox"), { target: { value: "deploy" } });
    await expect.poll(() => told.mock.lastCall).toEqual([{ ...start, text: "deploy" }]);
  });

  it("is seen, and can be removed alone", async () => {
    const told = vi.fn();
    renderScreen(<Bar start={start} told={told} />);
    expect(await screen.findByText(/^From .*1 Nov 2026/)).toBeDefined();
    await userEvent.setup().click(screen.getByRole("button", { name: "One conversation: remove this filter" }));
    expect(told.mock.calls).toEqual([[{ from: start.from }]]);
    expect(screen.queryByText("One conversation")).toBeNull();
  });

  it("goes with all others", async () => {
    const told = vi.fn();
    renderScreen(<Bar start={start} told={told} />);
    await userEvent.setup().click(await screen.findByRole("button", { name: "Clear filters" }));
    expect(told.mock.calls).toEqual([[{}]]);
    expect(screen.queryByRole("button", { name: "Clear filters" })).toBeNull();
  });
});

describe("the text filter", () => {
  it("keeps what was typed while its own change was on the way, and takes one from elsewhere", async () => {
    const told = vi.fn();
    const bar = (values: Record<string, string>) => (
      <MantineProvider env="test">
        <FilterBar filters={FILTERS} values={values} onChange={told} />
      </MantineProvider>
    );
    const { rerender } = render(bar({}));
    const field = screen.getByRole<HTMLInputElement>("searchbox");
    fireEvent.change(field, { target: { value: "dep" } });
    await expect.poll(() => told.mock.calls).toEqual([[{ text: "dep" }]]);
    fireEvent.change(field, { target: { value: "deploy" } });
    rerender(bar({ text: "dep" }));
    await expect.poll(() => told.mock.lastCall).toEqual([{ text: "deploy" }]);
    expect(field.value).toBe("deploy");
    rerender(bar({ text: "other" }));
    expect(field.value).toBe("other");
  });
});
