// What tests stand on and are not about: a provider whose model is the scripted one, and the one bot there is.
import type { Api } from "./api";
import { addresses } from "./outside";

/** The scripted model under the name of a priced one, so that what it costs is not the worst that could be. */
export const MODEL = "sim/claude-haiku-5-5";

export async function scripted(api: Api): Promise<string> {
  const providers = await api.get<{ items: { name: string }[] }>("/providers?limit=100");
  if (!providers.items.some(({ name }) => name === "sim")) {
    const { model_url, model_key } = addresses();
    await api.post("/providers", { name: "sim", kind: "anthropic", base_url: model_url, api_key: model_key });
  }
  return MODEL;
}

/** Takes the bot away, for the test that connects it. */
export async function noBot(api: Api): Promise<void> {
  for (const { id } of await bots(api)) await api.send("delete", `/integrations/${id}`);
}

/** The bot, seen by these agents alone. There is one, because two would take each other's updates. */
export async function bot(api: Api, agentIds: string[]): Promise<{ id: string }> {
  const [found] = await bots(api);
  if (found) return api.patch(`/integrations/${found.id}`, { agent_ids: agentIds });
  const { telegram_token, telegram_url } = addresses();
  const config = { bot_token: telegram_token, api_base_url: telegram_url, mode: "polling" };
  return api.post("/integrations", { type: "telegram", name: "Support bot", config, agent_ids: agentIds });
}

async function bots(api: Api): Promise<{ id: string }[]> {
  const { items } = await api.get<{ items: { id: string; type: string }[] }>("/integrations?limit=100");
  return items.filter(({ type }) => type === "telegram");
}
