import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { $api, paging } from "../api/client";
import { renderScreen } from "../testing/render";
import { server } from "../testing/server";
import { DataList } from "./DataList";

const opened = vi.fn();

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
