import type { ToldRate } from "./dialect.ts";

/**
 * Where a rate stands, in OpenAI's headers (https://platform.openai.com/docs/guides/rate-limits, "Rate limits in
 * headers"), which other vendors have taken over.
 */
export function pushOpenAiRate(headers: string[], { meter, limit, remaining, resetMs }: ToldRate): void {
  headers.push(
    `x-ratelimit-limit-${meter}`,
    limit.toString(),
    `x-ratelimit-remaining-${meter}`,
    remaining.toString(),
    `x-ratelimit-reset-${meter}`,
    formatReset(resetMs),
  );
}

/** `250ms`, `1.5s`, `6m0s`, as OpenAI writes it. */
function formatReset(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  if (ms < 60_000) return `${Math.ceil(ms / 100) / 10}s`;
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
