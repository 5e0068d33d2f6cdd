// A failed look does not take away what is on the screen, nor what was typed into it.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { $api } from "../api/client";
import { renderScreen } from "../testing/render";
import { server } from "../testing/server";
import { Loaded } from "./Loaded";

function Form() {
  const agents = $api.useQuery("get", "/api/v1/agents");
  return (
    <Loaded query={agents} failure="The agents could not be loaded" skeleton="Wait">
      {() => <input aria-label="Name" />}
    </Loaded>
  );
}

function answer(status: number) {
  const body = status === 200 ? { items: [], next_cursor: null } : { title: "No", detail: "the database is down" };
  server.use(http.get("*/api/v1/agents", () => HttpResponse.json(body, { status })));
}

it("keeps what is known below a failure, and says so until it can be asked again", async () => {
  answer(200);
  const { queryClient } = renderScreen(<Form />);
  const input = await screen.findByRole<HTMLInputElement>("textbox", { name: "Name" });
  await userEvent.type(input, "half a name");
  answer(500);
  await queryClient.invalidateQueries();
  expect(await screen.findByText("The agents could not be loaded")).toBeDefined();
  expect(screen.getByRole("textbox", { name: "Name" })).toBe(input);
  expect(input.value).toBe("half a name");
  answer(200);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await expect.poll(() => screen.queryByRole("alert")).toBeNull();
  expect(input.value).toBe("half a name");
});

it("says what failed where nothing is known", async () => {
  answer(500);
  renderScreen(<Form />);
  expect(await screen.findByText("The agents could not be loaded")).toBeDefined();
  expect(screen.queryByRole("textbox")).toBeNull();
});
