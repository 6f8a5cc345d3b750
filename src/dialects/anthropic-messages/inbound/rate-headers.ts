import type { ToldRate } from "../../dialect.ts";

/**
 * Where a rate stands, in Anthropic's headers (https://platform.claude.com/docs/en/api/rate-limits, "Response headers"):
 * `anthropic-ratelimit-requests-limit`, `-remaining`, and `-reset` as a time in RFC 3339, here rounded up to the second.
 */
export function pushRate(headers: string[], { meter, limit, remaining, resetMs }: ToldRate, wallMs: number): void {
  const name = `anthropic-ratelimit-${meter}`;
  const reset = new Date(Math.ceil((wallMs + resetMs) / 1000) * 1000).toISOString().replace(".000Z", "Z");
  headers.push(`${name}-limit`, limit.toString(), `${name}-remaining`, remaining.toString(), `${name}-reset`, reset);
}
