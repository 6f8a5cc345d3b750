/** A model for the line that a newcomer pastes: one that chats, is there, and costs little. */
import type { Config } from "../../config/config.ts";
import { findProviderSpec } from "../../providers/catalogue.ts";

/** By kind of provider, names that its catalogue has had for long. */
const inexpensive: Readonly<Record<string, string>> = {
  simulator: "sim-chat",
  "simulator-anthropic": "sim-claude",
  openai: "gpt-5-mini",
  anthropic: "claude-haiku-4-5",
  gemini: "gemini-2.5-flash",
  mistral: "mistral-small-latest",
  groq: "llama-3.1-8b-instant",
  deepseek: "deepseek-chat",
  xai: "grok-3-mini",
  openrouter: "openai/gpt-5-mini",
  cerebras: "llama3.1-8b",
  perplexity: "sonar",
};

/** An alias if there is one, else a model of the first provider that has one to offer; `null` if nobody can tell. */
export function chooseExampleModel(config: Config): string | null {
  const [alias] = Object.keys(config.models);
  if (alias !== undefined) return alias;
  for (const [name, provider] of Object.entries(config.providers)) {
    const model = provider.models[0]?.name ?? inexpensive[provider.kind];
    const chats = findProviderSpec(provider.kind)?.dialects.some((dialect) => dialect !== "openai-embeddings") ?? false;
    if (model !== undefined && chats) return `${name}/${model}`;
  }
  return null;
}
