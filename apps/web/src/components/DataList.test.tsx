import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { $api, paging } from "../api/client";
import type { UserView } from "../api/draft";
import { renderScreen } from "../testing/render";
import { server } from "../testing/server";
import { session } from "../testing/session";
import { DataList } from "./DataList";

const opened = vi.fn();

function People() {
  const pages = $api.useInfiniteQuery("get", "/api/v1/users", { params: { query: { limit: 50 } } }, paging);
  return (
    <DataList
      label="People"
      pages={pages}
      idOf={(person) => person.id}
      onOpen={(person) => opened(person.name)}
      columns={[
        { header: "Name", cell: (person) => person.name },
        { header: "Role", cell: (person) => person.role },
      ]}
      empty={<p>Nobody</p>}
    />
  );
}

function person(name: string): UserView {
  const { user } = session();
  if (user === null) throw new Error("the session of tests has a user");
  return { ...user, id: name, name };
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
      http.get("*/api/v1/users", ({ request }) => {
        const cursor = new URL(request.url).searchParams.get("cursor");
        asked.push(cursor);
        const page =
          cursor === null
            ? { items: [person("Ada")], next_cursor: "two" }
            : { items: [person("Kim")], next_cursor: null };
        return HttpResponse.json(page);
      }),
    );
    renderScreen(<People />);
    expect(await screen.findByRole("button", { name: "Kim" })).toBeDefined();
    expect(asked).toEqual([null, "two"]);
  });

  it("is walked by j and k, and opened by enter", async () => {
    const items = [person("Ada"), person("Kim"), person("Mia")];
    server.use(http.get("*/api/v1/users", () => HttpResponse.json({ items, next_cursor: null })));
    renderScreen(<People />);
    await screen.findByRole("button", { name: "Ada" });
    const user = userEvent.setup();
    await user.keyboard("{Enter}");
    expect(opened).not.toHaveBeenCalled();
    await user.keyboard("jjjjk{Enter}");
    expect(opened.mock.calls).toEqual([["Kim"]]);
  });

  it("says when there is nothing, and when it cannot be told", async () => {
    server.use(http.get("*/api/v1/users", () => HttpResponse.json({ items: [], next_cursor: null })));
    const { unmount } = renderScreen(<People />);
    expect(await screen.findByText("Nobody")).toBeDefined();
    unmount();
    server.use(http.get("*/api/v1/users", () => HttpResponse.json({ code: "x", detail: "no" }, { status: 500 })));
    renderScreen(<People />);
    expect(await screen.findByText("People could not be loaded")).toBeDefined();
  });
});
