import { HttpResponse, http } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";
import { server } from "../testing/server";
import { client, onSignedOut, Problem, setCsrfToken } from "./client";

const id = "0198c0de-0000-7000-8000-000000000001";

async function refusal(promise: Promise<unknown>): Promise<Problem> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw new Error("it was not refused");
  return error;
}

function problem(status: number, body: object, headers: Record<string, string> = {}) {
  return HttpResponse.json(body, { status, headers: { "content-type": "application/problem+json", ...headers } });
}

afterEach(() => {
  setCsrfToken(null);
  onSignedOut(() => undefined);
});

describe("a change", () => {
  it("carries the token of the session, and a question does not", async () => {
    const tokens: (string | null)[] = [];
    server.use(
      http.all("*/api/v1/jobs/*", ({ request }) => {
        tokens.push(request.headers.get("x-csrf-token"));
        return HttpResponse.json({});
      }),
    );
    setCsrfToken("a-token");
    await client.GET("/api/v1/jobs/{id}", { params: { path: { id } } });
    await client.POST("/api/v1/jobs/{id}/cancel", { params: { path: { id } } });
    expect(tokens).toEqual([null, "a-token"]);
  });
});

describe("a refused request", () => {
  it("becomes a problem with the server's own words", async () => {
    server.use(
      http.get("*/api/v1/jobs/:id", () =>
        problem(422, {
          code: "invalid",
          title: "Unprocessable",
          detail: "limit is too large",
          request_id: "r-1",
          errors: [{ field: "limit", message: "must be 100 at most" }],
        }),
      ),
    );
    const error = await refusal(client.GET("/api/v1/jobs/{id}", { params: { path: { id } } }));
    expect(error).toMatchObject({ code: "invalid", status: 422, detail: "limit is too large", requestId: "r-1" });
    expect(error.fieldErrors()).toEqual({ limit: "must be 100 at most" });
  });

  it("says how long to wait", async () => {
    server.use(http.post("*/api/v1/session", () => problem(429, { code: "too_many" }, { "retry-after": "30" })));
    const body = { email: "ada@example.com", password: "wrong" };
    expect(await refusal(client.POST("/api/v1/session", { body }))).toMatchObject({ retryAfterSeconds: 30 });
  });

  it("is explained even when a proxy answered with a page", async () => {
    server.use(http.get("*/api/v1/jobs/:id", () => HttpResponse.html("<h1>Bad gateway</h1>", { status: 502 })));
    const error = await refusal(client.GET("/api/v1/jobs/{id}", { params: { path: { id } } }));
    expect(error).toMatchObject({ code: "unreadable_answer", status: 502 });
    expect(error.detail).toMatch(/proxy/);
  });

  it("is told from a server that cannot be reached", async () => {
    server.use(http.get("*/api/v1/jobs/:id", () => HttpResponse.error()));
    const error = await refusal(client.GET("/api/v1/jobs/{id}", { params: { path: { id } } }));
    expect(error).toMatchObject({ code: "unreachable", status: 0 });
  });
});

describe("a 401", () => {
  it("ends the login, but not where a password was typed", async () => {
    const ended = vi.fn();
    onSignedOut(ended);
    server.use(
      http.post("*/api/v1/session", () => problem(401, { code: "invalid_credentials" })),
      http.get("*/api/v1/jobs/:id", () => problem(401, { code: "unauthenticated" })),
    );
    await refusal(client.POST("/api/v1/session", { body: { email: "ada@example.com", password: "wrong" } }));
    expect(ended).not.toHaveBeenCalled();
    await refusal(client.GET("/api/v1/jobs/{id}", { params: { path: { id } } }));
    expect(ended).toHaveBeenCalledOnce();
  });
});
