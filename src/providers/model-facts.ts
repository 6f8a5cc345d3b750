import type { Needs } from "../dialects/dialect.ts";
import { outputLimits } from "./catalogue/model-limits.ts";

export interface ModelFacts {
  /** `null`: unknown. */
  readonly maxOutputTokens: number | null;
  /** What the model is known not to do; anything else may work. */
  readonly lacks: readonly (keyof Needs)[];
}

/**
 * Anthropic: Messages has neither audio nor log probabilities (https://docs.anthropic.com/en/api/openai-sdk).
 * Groq: a request with `logprobs` is a 400 (https://console.groq.com/docs/openai).
 */
const lackingByKind: ReadonlyMap<string, readonly (keyof Needs)[]> = new Map([
  ["anthropic", ["audio", "logprobs"]],
  ["groq", ["logprobs"]],
]);

/** What the catalogue knows of a model at a kind of provider, by the provider's own name of it. */
export function findModelFacts(kind: string, model: string): ModelFacts {
  const limit = outputLimits.get(kind)?.find(({ prefix }) => model.startsWith(prefix));
  return { maxOutputTokens: limit?.maxOutputTokens ?? null, lacks: lackingByKind.get(kind) ?? [] };
}
