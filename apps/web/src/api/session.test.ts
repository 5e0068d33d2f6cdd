import { QueryObserver } from "@tanstack/react-query";
import { HttpResponse, http } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { server } from "../testing/server";
import { session } from "../testing/session";
import { client, onForbidden, onStaleToken } from "./client";
import { queryClient } from "./queryClient";
import { beginSession, endSession, refreshRights, renewSession, sessionKey, sessionQuery } from "./session";
import type { SessionView } from "./types";

const path = { id: "0198c0de-0000-7000-8000-000000000001" };
const usualLocation = window.location;

/** How often the server was asked who is logged in. */
let asked = 0;

function loggedInAs(now: SessionView) {
  server.use(
    http.get("*/api/v1/session", () => {
      asked += 1;
      return HttpResponse.json(now);
    }),
  );
}

function refused(code: string) {
  return HttpResponse.json({ code, detail: "no" }, { status: 403 });
}

beforeEach(() => {
  asked = 0;
  onStaleToken(renewSession);
  onForbidden(refreshRights);
});

afterEach(() => {
  queryClient.clear();
  onStaleToken(async () => false);
  onForbidden(() => undefined);
  vi.stubGlobal("location", usualLocation);
});

it("forgets what the person saw, but not what was asked for after they left", () => {
  beginSession(session());
  queryClient.setQueryData(["get", "/api/v1/agents"], ["Ada"]);
  endSession();
  expect(queryClient.getQueryData(sessionKey)).toBeNull();
  expect(queryClient.getQueryData(["get", "/api/v1/agents"])).toBeUndefined();
  queryClient.setQueryData(["get", "/api/v1/access"], "asked by the login page");
  endSession();
  expect(queryClient.getQueryData(["get", "/api/v1/access"])).toBe("asked by the login page");
});

describe("a login in another tab", () => {
  const run = (command: string) =>
    client.POST("/api/v1/agents/{id}/sprite/commands", { params: { path }, body: { command } });
  const tokens: (string | null)[] = [];

  /** The server takes changes with this token alone. */
  function takes(token: string) {
    server.use(
      http.post("*/api/v1/agents/:id/sprite/commands", async ({ request }) => {
        tokens.push(request.headers.get("x-csrf-token"));
        return tokens.at(-1) === token ? HttpResponse.json(await request.json()) : refused("csrf_missing");
      }),
    );
  }

  beforeEach(() => {
    tokens.length = 0;
    beginSession(session({ csrf_token: "old" }));
  });

  it("of the same person costs a change nothing but a second request", async () => {
    loggedInAs(session({ csrf_token: "new" }));
    takes("new");
    await expect(run("ls")).resolves.toMatchObject({ data: { command: "ls" } });
    await expect(run("pwd")).resolves.toMatchObject({ data: { command: "pwd" } });
    expect(tokens).toEqual(["old", "new", "new"]);
    expect(asked).toBe(1);
  });

  it("repeats a change once and no more", async () => {
    loggedInAs(session({ csrf_token: "new" }));
    takes("none");
    await expect(run("ls")).rejects.toMatchObject({ code: "csrf_missing" });
    expect(tokens).toEqual(["old", "new"]);
  });

  it("of somebody else begins the page anew, and sends nothing in their name", async () => {
    const reload = vi.fn();
    vi.stubGlobal("location", { ...usualLocation, reload });
    const { user } = session();
    loggedInAs(session({ csrf_token: "new", user: user && { ...user, id: "0198c0de-0000-7000-8000-00000000a002" } }));
    takes("new");
    await expect(run("ls")).rejects.toMatchObject({ code: "somebody_else" });
    expect(reload).toHaveBeenCalledOnce();
    expect(queryClient.getQueryData(sessionKey)).toMatchObject({ csrf_token: "old" });
    await expect(run("ls")).rejects.toMatchObject({ code: "somebody_else" });
    expect(tokens).toEqual(["old", "old"]);
  });
});

describe("a right that was taken away", () => {
  it("is known after the first refusal, however many follow", async () => {
    beginSession(session());
    const watched = new QueryObserver(queryClient, sessionQuery);
    const stop = watched.subscribe(() => undefined);
    loggedInAs(session({ role: "viewer" }));
    server.use(http.get("*/api/v1/jobs/:id", () => refused("forbidden")));
    const look = () => client.GET("/api/v1/jobs/{id}", { params: { path } });
    await Promise.allSettled([look(), look(), look()]);
    await expect.poll(() => watched.getCurrentResult().data?.role).toBe("viewer");
    expect(asked).toBe(1);
    stop();
  });

  it("is not asked for again because asking was refused", async () => {
    beginSession(session());
    const watched = new QueryObserver(queryClient, sessionQuery);
    const stop = watched.subscribe(() => undefined);
    let refusals = 0;
    server.use(
      http.get("*/api/v1/session", () => {
        refusals += 1;
        return refused("foreign_host");
      }),
    );
    await watched.refetch();
    await vi.waitFor(() => expect(queryClient.isFetching()).toBe(0));
    expect(refusals).toBe(1);
    stop();
  });
});
