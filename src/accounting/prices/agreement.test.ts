import assert from "node:assert/strict";
import { test } from "node:test";
import { calcPrice } from "@pydantic/genai-prices";
import { emptyUsage, totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";
import { createPriceBook, type PricedProvider } from "../price-book.ts";
import { loadPriceCatalogue } from "./catalogue.ts";

/** Lists and model names as callers write them: vendors and hosts, cache rates, tiers, dates, fall-back lists, tools. */
const sample: readonly (readonly [list: string, ...models: string[]])[] = [
  ["openai", "gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-4.1", "gpt-5-mini", "gpt-5-2025-08-07", "gpt-5.4", "gpt-5.5"],
  ["openai", "gpt-6-sol-2026-10-01", "gpt-6-sol-20261001", "o3", "o4-mini", "gpt-4o-audio-preview", "gpt-3.5-turbo"],
  ["openai", "text-embedding-3-small", "gpt-5.4-pro", "gpt-image-1"],
  ["anthropic", "claude-3-5-haiku-latest", "claude-3-7-sonnet-20250219", "claude-opus-4-1-20250805"],
  [
    "anthropic",
    "claude-opus-4-6",
    "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5",
    "claude-opus-5-5",
    "claude-fable-5-1",
  ],
  [
    "google",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-3-flash-preview",
    "gemini-3.5-flash",
    "gemini-embedding-001",
  ],
  ["azure", "gpt-4o", "gpt-5-mini", "claude-sonnet-4-5"],
  ["mistral", "mistral-large-latest", "mistral-small-latest", "codestral-latest", "mistral-embed"],
  ["x-ai", "grok-4-0709", "grok-4.3", "grok-3-mini", "grok-code-fast-1"],
  ["deepseek", "deepseek-chat", "deepseek-reasoner", "deepseek-v4-pro", "deepseek-v4-flash"],
  ["groq", "llama-3.3-70b-versatile", "openai/gpt-oss-120b", "moonshotai/kimi-k2-instruct-0905"],
  ["openrouter", "anthropic/claude-sonnet-4.5", "google/gemini-2.5-flash-lite", "openai/gpt-5", "x-ai/grok-4.3"],
  ["fireworks", "accounts/fireworks/models/deepseek-v4-pro"],
  ["together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
  ["perplexity", "sonar", "sonar-pro", "sonar-deep-research"],
  ["cohere", "command-r-plus", "command-a-03-2025"],
  ["cerebras", "gpt-oss-120b"],
];

const moments = ["2026-03-01T12:00:00Z", "2026-11-21T02:30:00Z", "2026-11-21T12:00:00Z"].map((text) => new Date(text));

/** Around the long-context thresholds, with and without cached input. */
const usages: readonly Partial<Usage>[] = [
  { inputTokens: 1 },
  { inputTokens: 1234, outputTokens: 567 },
  { inputTokens: 40, cacheReadTokens: 12_345, outputTokens: 89, reasoningTokens: 701 },
  { inputTokens: 90_001, cacheReadTokens: 100_000, cacheWrite5mTokens: 10_000, outputTokens: 999 },
  { inputTokens: 150_000, cacheWrite5mTokens: 40_000, cacheWrite1hTokens: 9_999, outputTokens: 3 },
  { inputTokens: 150_000, cacheReadTokens: 50_000, outputTokens: 64_000 },
  { inputTokens: 150_000, cacheReadTokens: 50_001, outputTokens: 64_000 },
  { inputTokens: 272_001, outputTokens: 5 },
  { inputTokens: 777, searchUnits: 3, outputTokens: 55 },
  { inputTokens: 19, audioInputTokens: 97, outputTokens: 33, audioOutputTokens: 128 },
  { inputTokens: 10, imageInputTokens: 300, outputTokens: 20, imageOutputTokens: 1290 },
  { inputTokens: 5, outputTokens: 6, toolUnits: 2 },
];

/**
 * The package counts nested totals, not disjoint buckets. Tool units are searches of files, or citations where those are
 * billed.
 */
function nestedUsage(usage: Usage, model: string): Record<string, number> {
  const citations = model === "sonar-deep-research" ? usage.toolUnits : 0;
  return {
    input_tokens: totalInputTokens(usage),
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    output_tokens: totalOutputTokens(usage) + citations,
    output_citation_tokens: citations,
    output_reasoning_tokens: usage.reasoningTokens,
    input_audio_tokens: usage.audioInputTokens,
    output_audio_tokens: usage.audioOutputTokens,
    input_image_tokens: usage.imageInputTokens,
    output_image_tokens: usage.imageOutputTokens,
    storage_searches: usage.toolUnits - citations,
    web_searches: usage.searchUnits,
  };
}

const lists = new Map(
  sample.map(([list]): [string, PricedProvider] => [list, { priceList: list, billing: "metered" }]),
);
const book = createPriceBook({
  catalogue: loadPriceCatalogue(),
  prices: { overrides: {} },
  providers: Object.fromEntries(lists),
});

for (const [list, ...models] of sample) {
  for (const model of models) {
    test(`${list}/${model} costs what the source of the price data says, rounded up`, () => {
      for (const moment of moments) {
        const price = book.find(list, model, null, moment.getTime());
        assert.ok(price, "no price");
        for (const counts of usages) {
          const usage = { ...emptyUsage(), ...counts };
          const theirs = calcPrice(nestedUsage(usage, model), model, { providerId: list, timestamp: moment });
          assert.ok(theirs);
          const difference: number = Number(price.cost(usage)) - theirs.total_price * 1e9;
          assert.ok(difference > -1e-3 && difference < 1.001, `${price.version}: off by ${difference} nano-dollars`);
        }
      }
    });
  }
}

test("a deep research costs what Perplexity's own answer says that it billed", () => {
  const price = book.find("perplexity", "sonar-deep-research", null, moments[0]?.getTime() ?? 0);
  const usage = {
    ...emptyUsage(),
    inputTokens: 33,
    outputTokens: 11_395,
    reasoningTokens: 193_947,
    toolUnits: 19_028,
    searchUnits: 21,
  };
  const billed = { output: 0.091, citations: 0.038, reasoning: 0.582, searches: 0.105 };
  const sum = Object.values(billed).reduce((a, b) => a + b);
  assert.ok(Math.abs(Number(price?.cost(usage)) / 1e9 - sum) < 0.001);
});
