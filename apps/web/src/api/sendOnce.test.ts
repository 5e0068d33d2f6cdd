// A request that got no answer is sent again under its key, and nothing else is.
import { expect, it } from "vitest";
import { Problem } from "./client";
import { sendOnce, unsent } from "./sendOnce";

function problem(status: number) {
  return new Problem({ code: status === 0 ? "unreachable" : "refused", title: "No", detail: "no", status });
}

/** Sends, and tells the key it went under. */
async function attempt(target: string, text: string, answer: Problem | null): Promise<string> {
  let key = "";
  const sent = sendOnce(target, { text }, async (init) => {
    key = init.params.header["Idempotency-Key"];
    if (answer !== null) throw answer;
  });
  await sent.catch(() => undefined);
  return key;
}

it("sends the same again under the same key until it is answered", async () => {
  const first = await attempt("a", "hello", problem(0));
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(await attempt("b", "hello", null)).not.toBe(first);
  expect(await attempt("a", "hello", problem(409))).toBe(first);
  expect(await attempt("a", "hello", null)).toBe(first);
  expect(await attempt("a", "hello", null)).not.toBe(first);
});

it("takes a new key for other words, and for good after them", async () => {
  const first = await attempt("c", "hello", problem(0));
  expect(await attempt("c", "hello there", null)).not.toBe(first);
  expect(await attempt("c", "hello", null)).not.toBe(first);
});

it("takes a new key where the old one would only get the same answer", async () => {
  for (const status of [422, 500]) {
    const first = await attempt("d", "hello", problem(status));
    expect(await attempt("d", "hello", null)).not.toBe(first);
  }
});

it("takes two keys for the same words said twice at once", async () => {
  const keys = await Promise.all([attempt("e", "yes", null), attempt("e", "yes", null)]);
  expect(new Set(keys).size).toBe(2);
});

it("keeps a key over a reload", async () => {
  const key = await attempt("f", "hello", problem(0));
  expect(sessionStorage.getItem("unanswered f")).toContain(key);
});

it("does not say that nothing was sent when nobody knows", () => {
  expect(unsent(problem(422), "It was not sent")).toBe("It was not sent");
  expect(unsent(problem(0), "It was not sent")).toMatch(/may have been sent/);
});
