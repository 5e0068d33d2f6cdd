import { afterEach, expect, it } from "vitest";
import { session } from "../testing/session";
import { queryClient } from "./queryClient";
import { beginSession, endSession, sessionKey } from "./session";

afterEach(() => queryClient.clear());

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
