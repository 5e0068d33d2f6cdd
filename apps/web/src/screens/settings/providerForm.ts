// What the form about a provider holds and what of it is said at once; the server decides anyway.
import type { ProviderKind } from "../../api/types";

export const KINDS: Record<ProviderKind, { label: string; address: string | null; help: string }> = {
  anthropic: {
    label: "Anthropic",
    address: "https://api.anthropic.com",
    help: "Claude, or anything that speaks the Messages API.",
  },
  openai: {
    label: "OpenAI-compatible",
    address: "https://api.openai.com/v1",
    help: "OpenAI, OpenRouter, vLLM, Ollama, llama.cpp: anything that speaks Chat Completions.",
  },
  demo: { label: "Built-in demo model", address: null, help: "" },
};

export type ProviderValues = { kind: "anthropic" | "openai"; name: string; base_url: string; api_key: string };

export function nameProblem(name: string): string | null {
  if (name.trim() === "") return "Give it a name: models are called by it, as in name/model.";
  if (name.trim().length > 32) return "A name has at most 32 characters.";
  return /^[a-z][a-z0-9_-]*$/.test(name.trim())
    ? null
    : "Begin with a lower-case letter and use lower-case letters, digits, - and _ only.";
}

export function addressProblem(address: string): string | null {
  if (address.trim() === "") return null;
  const isWeb = URL.canParse(address.trim()) && /^https?:$/.test(new URL(address.trim()).protocol);
  return isWeb ? null : "Enter an address that begins with https:// or http://, or leave it empty.";
}
