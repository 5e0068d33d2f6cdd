// The public API as a test uses it to arrange what it is not about. It goes through the browser's own login, so it
// may do what that person may do and nothing else.
import type { APIRequestContext, APIResponse } from "@playwright/test";

export class Api {
  readonly #request: APIRequestContext;
  #csrf: string | null = null;

  constructor(request: APIRequestContext) {
    this.#request = request;
  }

  async get<T>(path: string): Promise<T> {
    return read<T>(await this.#request.get(`/api/v1${path}`));
  }

  async post<T>(path: string, body?: object): Promise<T> {
    return read<T>(await this.send("post", path, body));
  }

  async patch<T>(path: string, body: object): Promise<T> {
    return read<T>(await this.send("patch", path, body));
  }

  /** The bare answer, for tests that expect a refusal. */
  async send(method: "post" | "patch" | "put" | "delete", path: string, body?: object): Promise<APIResponse> {
    this.#csrf ??= (await this.get<{ csrf_token: string }>("/session")).csrf_token;
    return this.#request[method](`/api/v1${path}`, { data: body, headers: { "X-CSRF-Token": this.#csrf } });
  }

  /** The agent of that name, made when there is none. */
  async agent(name: string, settings: object = {}): Promise<{ id: string }> {
    const agents = await this.get<{ items: { id: string; name: string }[] }>("/agents?limit=100");
    const found = agents.items.find((agent) => agent.name === name);
    return found ? this.patch(`/agents/${found.id}`, settings) : this.post("/agents", { name, ...settings });
  }
}

async function read<T>(answer: APIResponse): Promise<T> {
  if (!answer.ok()) throw new Error(`${answer.url()} answered ${answer.status()}: ${await answer.text()}`);
  const text = await answer.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}
