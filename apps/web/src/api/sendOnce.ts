// Requests that must not be done twice. When no answer comes, nobody knows whether the request arrived; sent again
// with the same key it is not done again. A key belongs to one text: another text is another request.
import { tabStore } from "../lib/tabStore";
import { Problem } from "./client";

/** What the server remembers of a key is settled with these answers: the same key would only get them again. */
const SETTLED = new Set([422, 500]);

type Once<Body> = { body: Body; params: { header: { "Idempotency-Key": string } } };
type Held = { body: string; key: string };

/** Sends `body` to `target`, under the key of the attempt before when that was about the same and is not settled. */
export async function sendOnce<Body, Answer>(
  target: string,
  body: Body,
  send: (init: Once<Body>) => Promise<Answer>,
): Promise<Answer> {
  const name = `unanswered ${target}`;
  const text = JSON.stringify(body);
  const held = heldAt(name);
  const key = held?.body === text ? held.key : newKey();
  // The same words said twice on purpose, while the first are under way, are two requests.
  tabStore.write(name, null);
  try {
    return await send({ body, params: { header: { "Idempotency-Key": key } } });
  } catch (error) {
    const isSettled = error instanceof Problem && SETTLED.has(error.status);
    if (!isSettled) tabStore.write(name, JSON.stringify({ body: text, key } satisfies Held));
    throw error;
  }
}

/** What to say of a failure: without an answer it would be wrong to say that nothing was sent. */
export function unsent(error: unknown, refused: string): string {
  const isUnknown = error instanceof Problem && error.code === "unreachable";
  return isUnknown ? "It may have been sent; the same sent again is not done twice" : refused;
}

function heldAt(name: string): Held | null {
  const word = tabStore.read(name);
  return word === null ? null : (JSON.parse(word) as Held);
}

/** Not `randomUUID`, which browsers have only where the page came over HTTPS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
