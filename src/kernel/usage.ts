/**
 * Usage as disjoint buckets: no unit is counted in two of them, and the token buckets add up to the provider's
 * own total. How a provider's numbers map to buckets is a property of its dialect and its catalogue entry.
 */
export const usageBuckets = [
  "inputTokens",
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "outputTokens",
  "reasoningTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "imageInputTokens",
  "imageOutputTokens",
  "toolUnits",
  "searchUnits",
] as const;

export type UsageBucket = (typeof usageBuckets)[number];

/** Counts per bucket; non-negative integers. Every object has the same shape: make one with `emptyUsage`. */
export type Usage = Record<UsageBucket, number>;

export function emptyUsage(): Usage {
  return {
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    audioInputTokens: 0,
    audioOutputTokens: 0,
    imageInputTokens: 0,
    imageOutputTokens: 0,
    toolUnits: 0,
    searchUnits: 0,
  };
}

/** Adds `more` to `sum` in place. */
export function addUsage(sum: Usage, more: Usage): void {
  for (const bucket of usageBuckets) sum[bucket] += more[bucket];
}

export function totalInputTokens(usage: Usage): number {
  return (
    usage.inputTokens +
    usage.cacheReadTokens +
    usage.cacheWrite5mTokens +
    usage.cacheWrite1hTokens +
    usage.audioInputTokens +
    usage.imageInputTokens
  );
}

export function totalOutputTokens(usage: Usage): number {
  return usage.outputTokens + usage.reasoningTokens + usage.audioOutputTokens + usage.imageOutputTokens;
}
