import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { $api, paging } from "../api/client";
import { renderScreen } from "../testing/render";
import { server } from "../testing/server";
import { DataList } from "./DataList";

const opened = vi.fn();
const NoResizeObserver = ResizeObserver;

function Agents() {
  const pages = $api.useInfiniteQuery("get", "/api/v1/agents", { params: { query: { limit: 50 } } }, paging);
  return (
    <DataList
      label="Agents"
      pages={pages}
      idOf={(agent) => agent.id}
      onOpen={(agent) => opened(agent.name)}
      columns={[
        { header: "Name", cell: (agent) => agent.name },
        { header: "Model", cell: (agent) => agent.model ?? "Default" },
      ]}
      empty={<p>Nobody</p>}
    />
  );
}

function agent(name: string) {
  return { id: name, name, model: null };
}

beforeEach(() => {
  opened.mockReset();
  // Rows are only made where there is room for them.
  for (const side of ["clientWidth", "clientHeight", "offsetWidth"] as const) {
    vi.spyOn(HTMLElement.prototype, side, "get").mockReturnValue(600);
  }
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(function (this: HTMLElement) {
    return this.id === "main" ? 600 : 40;
  });
  document.body.id = "main";
});

afterEach(() => {
  vi.stubGlobal("ResizeObserver", NoResizeObserver);
  document.body.scrollTop = 0;
});

describe("a list", () => {
  it("goes on at the cursor when its end is near", async () => {
    const asked: (string | null)[] = [];
    server.use(
      http.get("*/api/v1/agents", ({ request }) => {
        const cursor = new URL(request.url).searchParams.get("cursor");
        asked.push(cursor);
        const page =
          cursor === null
            ? { items: [agent("Ada")], next_cursor: "two" }
            : { items: [agent("Kim")], next_cursor: null };
        return HttpResponse.json(page);
      }),
    );
    renderScreen(<Agents />);
    expect(await screen.findByRole("button", { name: "Kim" })).toBeDefined();
    expect(asked).toEqual([null, "two"]);
  });

  it("asks no more after a page failed, until the reader does", async () => {
    let isBroken = true;
    let asked = 0;
    server.use(
      http.get("*/api/v1/agents", ({ request }) => {
        if (new URL(request.url).searchParams.get("cursor") === null)
          return HttpResponse.json({ items: [agent("Ada")], next_cursor: "two" });
        asked += 1;
        if (isBroken) return HttpResponse.json({ code: "x", detail: "no" }, { status: 500 });
        return HttpResponse.json({ items: [agent("Kim")], next_cursor: null });
      }),
    );
    renderScreen(<Agents />);
    expect(await screen.findByText("Agents could not be loaded further")).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(asked).toBe(1);
    isBroken = false;
    await userEvent.setup().click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("button", { name: "Kim" })).toBeDefined();
    expect(asked).toBe(2);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("finds its rows again when what is above it grows", async () => {
    let above = 0;
    const resized: (() => void)[] = [];
    vi.stubGlobal(
      "ResizeObserver",
      class extends NoResizeObserver {
        constructor(tell: ResizeObserverCallback) {
          super(tell);
          resized.push(() => tell([], this));
        }
      },
    );
    vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockImplementation(function (this: HTMLElement) {
      return new DOMRect(0, this.id === "main" ? 0 : above - document.body.scrollTop, 600, 40);
    });
    const items = Array.from({ length: 200 }, (_, index) => agent(`Agent ${index}`));
    server.use(http.get("*/api/v1/agents", () => HttpResponse.json({ items, next_cursor: null })));
    renderScreen(<Agents />);
    await screen.findByRole("button", { name: "Agent 0" });
    above = 4_000;
    document.body.scrollTop = 4_000;
    fireEvent.scroll(document.body);
    expect(screen.queryByRole("button", { name: "Agent 0" })).toBeNull();
    act(() => {
      for (const tell of resized) tell();
    });
    expect(await screen.findByRole("button", { name: "Agent 0" })).toBeDefined();
  });

  it("is walked by j and k, and opened by enter", async () => {
    const items = [agent("Ada"), agent("Kim"), agent("Mia")];
    server.use(http.get("*/api/v1/agents", () => HttpResponse.json({ items, next_cursor: null })));
    renderScreen(<Agents />);
    await screen.findByRole("button", { name: "Ada" });
    const user = userEvent.setup();
    await user.keyboard("{Enter}");
    expect(opened).not.toHaveBeenCalled();
    await user.keyboard("jjjjk{Enter}");
    expect(opened.mock.calls).toEqual([["Kim"]]);
  });

  it("says when there is nothing, and when it cannot be told", async () => {
    server.use(http.get("*/api/v1/agents", () => HttpResponse.json({ items: [], next_cursor: null })));
    const { unmount } = renderScreen(<Agents />);
    expect(await screen.findByText("Nobody")).toBeDefined();
    unmount();
    server.use(http.get("*/api/v1/agents", () => HttpResponse.json({ code: "x", detail: "no" }, { status: 500 })));
    renderScreen(<Agents />);
    expect(await screen.findByText("Agents could not be loaded")).toBeDefined();
  });
});
