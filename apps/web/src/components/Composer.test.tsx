// What people type must arrive, or still be there.
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Composer } from "./Composer";

function box(onSend: (text: string) => Promise<unknown>) {
  render(<Composer label="Message" placeholder="" onSend={onSend} />, { wrapper: MantineProvider });
  return screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
}

describe("the composer", () => {
  it("sends with enter, and begins a line with shift and enter", async () => {
    const sent = vi.fn(async () => undefined);
    const input = box(sent);
    await userEvent.type(input, "one{Shift>}{Enter}{/Shift}two{Enter}");
    expect(sent).toHaveBeenCalledExactlyOnceWith("one\ntwo");
    expect(input.value).toBe("");
  });

  it("sends nothing of nothing", async () => {
    const sent = vi.fn(async () => undefined);
    await userEvent.type(box(sent), "  {Enter}");
    expect(sent).not.toHaveBeenCalled();
  });

  it("gives back what was refused, before what was typed meanwhile", async () => {
    let refuse = () => {};
    const input = box(
      () =>
        new Promise((_, reject) => {
          refuse = () => reject(new Error("no"));
        }),
    );
    await userEvent.type(input, "first{Enter}second");
    refuse();
    await vi.waitFor(() => expect(input.value).toBe("first\nsecond"));
  });
});
