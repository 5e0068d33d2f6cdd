// The one way to the API: every request and answer is typed by the generated schema, a refused request becomes a
// `Problem` with the server's own words, and a login that ended sends the person back to the login page.
import createClient, { type Middleware } from "openapi-fetch";
import createHooks from "openapi-react-query";
import type { paths } from "./schema";

export type Api = paths;

type FieldError = { field: string; message: string };

/** A refused or failed request: what happened, why, and how to find it in the server's log. */
export class Problem extends Error {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly errors: readonly FieldError[];
  readonly requestId: string | null;
  /** How long the server asks to wait. */
  readonly retryAfterSeconds: number | null;

  constructor(init: {
    code: string;
    title: string;
    detail: string;
    status: number;
    errors?: readonly FieldError[];
    requestId?: string | null;
    retryAfterSeconds?: number | null;
  }) {
    super(init.detail);
    this.name = "Problem";
    this.code = init.code;
    this.title = init.title;
    this.detail = init.detail;
    this.status = init.status;
    this.errors = init.errors ?? [];
    this.requestId = init.requestId ?? null;
    this.retryAfterSeconds = init.retryAfterSeconds ?? null;
  }

  /** What was refused about one field, for forms. */
  fieldErrors(): Record<string, string> {
    return Object.fromEntries(this.errors.map((error) => [error.field, error.message]));
  }
}

/** Any thrown value as a problem, for what shows errors. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({ code: "client_error", title: "Something went wrong in this page", detail, status: 0 });
}

async function problemOf(response: Response): Promise<Problem> {
  const body = await readJson(response);
  const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new Problem({
    code: text(body.code) ?? "unreadable_answer",
    title: text(body.title) ?? `The server answered ${response.status}`,
    detail: text(body.detail) ?? "The answer holds no explanation. A proxy before the server may have written it.",
    status: response.status,
    errors: fieldErrors(body.errors),
    requestId: text(body.request_id) ?? response.headers.get("x-request-id"),
    retryAfterSeconds: Number.isNaN(wait) ? null : wait,
  });
}

async function readJson(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? { ...body } : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((error: unknown) => {
    if (typeof error !== "object" || error === null) return [];
    const { field, message } = error as Record<string, unknown>;
    return typeof field === "string" && typeof message === "string" ? [{ field, message }] : [];
  });
}

let csrfToken: string | null = null;
let signedOut: () => void = () => undefined;
let forbidden: () => void = () => undefined;
let renewToken: () => Promise<boolean> = async () => false;

/** Tells the client the token that changes have to carry; the session answers with it. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** What to do when the server no longer knows who asks. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

/** What to do when the server refuses what the page held to be allowed. */
export function onForbidden(handler: () => void): void {
  forbidden = handler;
}

/** How to get the token of the login that holds now; false when there is none to go on with. */
export function onStaleToken(renew: () => Promise<boolean>): void {
  renewToken = renew;
}

const CSRF_HEADER = "x-csrf-token";
const READING = new Set(["GET", "HEAD"]);
/** A 401 about what was typed, not about the login. */
const TYPED = new Set(["invalid_credentials", "second_factor_required"]);
/** The token is of another login than the cookie: somebody logged in again in another tab. */
const STALE_TOKEN = "csrf_missing";

/** Sends a request, and once more with the token of the login that holds now when its own was stale. */
async function send(request: Request): Promise<Response> {
  // Looked up at every call, so that tests can put their own in its place.
  if (READING.has(request.method)) return globalThis.fetch(request);
  // A body can be read only once.
  const again = request.clone();
  const response = await globalThis.fetch(request);
  if (response.status !== 403) return response;
  const { code } = await problemOf(response.clone());
  if (code !== STALE_TOKEN || !(await renewToken())) return response;
  if (csrfToken !== null) again.headers.set(CSRF_HEADER, csrfToken);
  return globalThis.fetch(again);
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (!READING.has(request.method) && csrfToken !== null) {
      request.headers.set(CSRF_HEADER, csrfToken);
    }
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (problem.status === 401 && !TYPED.has(problem.code)) signedOut();
    if (problem.status === 403 && problem.code !== STALE_TOKEN) forbidden();
    throw problem;
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    // Asking for a new token was refused in words of its own.
    if (error instanceof Problem) return error;
    return new Problem({
      code: "unreachable",
      title: "The server cannot be reached",
      detail: "The request got no answer. Check your connection and that the server is running, then try again.",
      status: 0,
    });
  },
};

export const client = createClient<Api>({
  baseUrl: window.location.origin,
  fetch: send,
});
client.use(middleware);

/** Typed hooks of TanStack Query: `$api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 50 } } })`. */
export const $api = createHooks(client);

/** Options of `$api.useInfiniteQuery` for every list: it goes on at `next_cursor`. */
export const paging = {
  pageParamName: "cursor",
  initialPageParam: null,
  getNextPageParam: (page: { next_cursor: string | null }) => page.next_cursor,
} as const;
