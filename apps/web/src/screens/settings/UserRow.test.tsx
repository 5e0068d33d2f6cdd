import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import type { UserView } from "../../api/types";
import { renderScreen } from "../../testing/render";
import { server } from "../../testing/server";
import { session } from "../../testing/session";
import { UserRow } from "./UserRow";

it("who gives up their own role has the rights of the new one at once", async () => {
  const own = session();
  const rights = { ...own.rights, people: "read" as const };
  server.use(
    http.patch("*/api/v1/users/:id", () => HttpResponse.json({ ...own.user, role: "member" })),
    http.get("*/api/v1/session", () => HttpResponse.json({ ...own, role: "member", rights })),
  );
  renderScreen(<UserRow user={own.user as UserView} onLink={() => undefined} />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole("combobox", { name: /^Role of/ }));
  await user.click(await screen.findByRole("option", { name: "Member", hidden: true }));
  await expect.poll(() => screen.queryByRole("button", { name: /^Reset link/ })).toBeNull();
});
