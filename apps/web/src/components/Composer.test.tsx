// What people type must arrive, or still be there.
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { sessionKey } from "../api/session";
import { tabStore } from "../lib/tabStore";
import { session } from "../testing/session";
import { Composer } from "./Composer";

let login = session();

function Around({ children }: { children: ReactNode }) {
  const cache = new QueryClient();
  cache.setQueryDefaults(sessionKey, { staleTime: Number.POSITIVE_INFINITY });
  cache.setQueryData(sessionKey, login);
  return (
    <QueryClientProvider client={cache}>
      <MantineProvider>{children}</MantineProvider>
    </QueryClientProvider>
  );
}

beforeEach(() => {
  login = session();
  for (const place of ["one", "two"]) tabStore.write(`draft ${login.actor.id} ${place}`, null);
});

function box(onSend: (text: string) => Promise<unknown>, place = "one") {
  render(<Composer place={place} label="Message" placeholder="" onSend={onSend} />, { wrapper: Around });
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

  it("keeps a draft where it was typed, for who typed it", async () => {
    const nothing = async () => undefined;
    await userEvent.type(box(nothing), "half a thought");
    cleanup();
    expect(box(nothing, "two").value).toBe("");
    cleanup();
    expect(box(nothing).value).toBe("half a thought");
    expect(sessionStorage.getItem(`draft ${login.actor.id} one`)).toBe("half a thought");
    cleanup();
    login = session({ actor: { kind: "user", id: "somebody", name: "Somebody" } });
    expect(box(nothing).value).toBe("");
  });

  it("forgets a draft that was sent, and brings it back when it was refused after they left", async () => {
    let refuse = () => {};
    await userEvent.type(
      box(() => new Promise((_, reject) => (refuse = () => reject(new Error("no"))))),
      "sent{Enter}",
    );
    cleanup();
    const input = box(async () => undefined);
    expect(input.value).toBe("");
    refuse();
    await vi.waitFor(() => expect(input.value).toBe("sent"));
  });
});
