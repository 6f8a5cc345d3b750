/**
 * The usage object of chat completions as disjoint buckets.
 *
 * Wire facts: OpenAI (openai-node, `CompletionUsage`): `prompt_tokens` includes `prompt_tokens_details`' cached, cache
 * write, audio and image tokens; `completion_tokens` includes reasoning and audio ones; `total_tokens` is their sum.
 * DeepSeek splits the prompt into `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens`; Moonshot has
 * `cached_tokens` at the top, Mistral `num_cached_tokens` in older answers; xAI counts reasoning beside
 * `completion_tokens`, inside the total (vercel/ai #9774); Gemini's compatible endpoint counts thoughts in the total and
 * nowhere else, Mistral so counts sound where it says `prompt_audio_seconds`; Perplexity has `reasoning_tokens` and
 * `citation_tokens` at the top, both beside the total and billed by rates of their own, and `num_search_queries`; xAI
 * has `num_sources_used`. A cache write without a lifetime is booked as the shortest class, and citations as units of a
 * tool: what they cost is not what tokens cost.
 *
 * A side without its count is what the total leaves for it.
 *
 * Invariant: the token buckets add up to `total_tokens` (and the reasoning beside it, where the provider's convention
 * is that) whenever a reading of the numbers can; where the provider's total contradicts its declared convention and
 * fits another one, the total is believed.
 */
import type { Quirks } from "../dialect.ts";
import { emptyUsage, type Usage } from "../../kernel/usage.ts";
import { asCount, asObject, isNoCount, type WireObject } from "../wire-values.ts";

/**
 * Where an event of a stream has its usage, if it has any: in the chunk, in Groq's own field, or, as Moonshot sends it, in
 * the choice that it finishes.
 */
export function usageIn(chunk: WireObject): unknown {
  const usage = chunk["usage"] ?? asObject(chunk["x_groq"])?.["usage"];
  if (usage !== undefined && usage !== null) return usage;
  const choices = chunk["choices"];
  return Array.isArray(choices) ? asObject(choices[0])?.["usage"] : undefined;
}

/** `null`: not a usage object, or one without any count. */
export function readUsage(wire: unknown, quirks: Quirks): Usage | null {
  const counts = asObject(wire);
  if (counts === null) return null;
  const prompt = asCount(counts["prompt_tokens"]);
  const completion = asCount(counts["completion_tokens"]);
  const total = asCount(counts["total_tokens"]);
  if (prompt === null && completion === null && total === null) return null;
  const promptDetails = asObject(counts["prompt_tokens_details"]);
  const completionDetails = asObject(counts["completion_tokens_details"]);
  const cacheRead = readCached(counts, promptDetails);
  const cacheWrite = asCount(promptDetails?.["cache_write_tokens"]) ?? 0;
  const reasoning = asCount(completionDetails?.["reasoning_tokens"]) ?? asCount(counts["reasoning_tokens"]) ?? 0;
  const wholeTotal = total === null || (quirks.reasoningInsideTotal ?? true) ? total : total + reasoning;
  const sums = chooseSums({ prompt, cached: cacheRead + cacheWrite, completion, reasoning, total: wholeTotal }, quirks);

  const usage = emptyUsage();
  let rest = sums.input;
  rest -= usage.cacheReadTokens = Math.min(cacheRead, rest);
  rest -= usage.cacheWrite5mTokens = Math.min(cacheWrite, rest);
  rest -= usage.audioInputTokens = Math.min(asCount(promptDetails?.["audio_tokens"]) ?? 0, rest);
  rest -= usage.imageInputTokens = Math.min(asCount(promptDetails?.["image_tokens"]) ?? 0, rest);
  usage.inputTokens = rest;
  rest = sums.output;
  rest -= usage.reasoningTokens = Math.min(reasoning, rest);
  rest -= usage.audioOutputTokens = Math.min(asCount(completionDetails?.["audio_tokens"]) ?? 0, rest);
  rest -= usage.imageOutputTokens = Math.min(asCount(completionDetails?.["image_tokens"]) ?? 0, rest);
  usage.outputTokens = rest;
  if ((asCount(counts["prompt_audio_seconds"]) ?? 0) > 0) usage.audioInputTokens += sums.unexplained;
  else usage.reasoningTokens += sums.unexplained;
  usage.toolUnits = asCount(counts["citation_tokens"]) ?? 0;
  usage.searchUnits = asCount(counts["num_search_queries"]) ?? asCount(counts["num_sources_used"]) ?? 0;
  return usage;
}

const countNames = [
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "reasoning_tokens",
  "prompt_cache_hit_tokens",
  "cached_tokens",
  "num_cached_tokens",
  "citation_tokens",
  "num_search_queries",
  "num_sources_used",
];
const promptDetailNames = ["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"];
const completionDetailNames = ["reasoning_tokens", "audio_tokens", "image_tokens"];

/** Whether something that a usage object says is no count: then what is read of it is not to be relied on. */
export function isDoubtful(wire: unknown): boolean {
  const counts = asObject(wire);
  return (
    hasNoCount(counts, countNames) ||
    hasNoCount(asObject(counts?.["prompt_tokens_details"]), promptDetailNames) ||
    hasNoCount(asObject(counts?.["completion_tokens_details"]), completionDetailNames)
  );
}

function hasNoCount(counts: WireObject | null, names: readonly string[]): boolean {
  return counts !== null && names.some((name) => isNoCount(counts[name]));
}

function readCached(counts: WireObject, promptDetails: WireObject | null): number {
  return (
    asCount(promptDetails?.["cached_tokens"]) ??
    asCount(counts["prompt_cache_hit_tokens"]) ??
    asCount(counts["cached_tokens"]) ??
    asCount(counts["num_cached_tokens"]) ??
    0
  );
}

interface Counts {
  readonly prompt: number | null;
  readonly cached: number;
  readonly completion: number | null;
  readonly reasoning: number;
  readonly total: number | null;
}

interface Sums {
  readonly input: number;
  readonly output: number;
  /** Tokens that only the total knows of: thoughts, or sound. */
  readonly unexplained: number;
}

function chooseSums(counts: Counts, quirks: Quirks): Sums {
  const cachedInside = quirks.cachedInsideInput ?? true;
  const reasoningInside = quirks.reasoningInsideOutput ?? true;
  const declared = sumUp(counts, cachedInside, reasoningInside);
  const total = counts.total;
  if (total === null || declared.input + declared.output === total) return declared;
  if (counts.prompt === null) return { ...declared, input: Math.max(0, total - declared.output) };
  if (counts.completion === null) return { ...declared, output: Math.max(0, total - declared.input) };
  for (const [cached, reasoning] of [
    [cachedInside, !reasoningInside],
    [!cachedInside, reasoningInside],
    [!cachedInside, !reasoningInside],
  ] as const) {
    const other = sumUp(counts, cached, reasoning);
    if (other.input + other.output === total) return other;
  }
  return { ...declared, unexplained: Math.max(0, total - declared.input - declared.output) };
}

function sumUp(counts: Counts, cachedInside: boolean, reasoningInside: boolean): Sums {
  return {
    input: (counts.prompt ?? 0) + (cachedInside ? 0 : counts.cached),
    output: (counts.completion ?? 0) + (reasoningInside ? 0 : counts.reasoning),
    unexplained: 0,
  };
}
