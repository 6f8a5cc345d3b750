/** What a provider's headers say about trying again. */
import type { ErrorOptions } from "../kernel/errors.ts";
import { headerText, readRateLimitReset } from "./rate-limit-reset.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How long to wait, and whether to try at all: `x-should-retry: true` or `false` (openai-node and anthropic-sdk-typescript,
 * `shouldRetry`), for the caller to be told the same. A 429 that does not say how long is asked for the time at which its
 * rate is reset (rate-limit-reset.ts). `wallMs`: the time now.
 */
export function readRetryAdvice(
  status: number,
  headers: Headers,
  wallMs: number,
): Pick<ErrorOptions, "retryAfterMs" | "shouldRetry"> {
  const retryAfterMs = readRetryAfter(headers, wallMs) ?? (status === 429 ? readRateLimitReset(headers, wallMs) : null);
  const shouldRetry = headerText(headers["x-should-retry"]);
  return {
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    ...(shouldRetry === "true" || shouldRetry === "false" ? { shouldRetry: shouldRetry === "true" } : {}),
  };
}

/**
 * How long a provider asks to wait, in milliseconds from now: `retry-after-ms` (what OpenAI's SDKs read first), else
 * `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3). A date in the past is 0; nothing usable is `null`.
 */
function readRetryAfter(headers: Headers, wallMs: number): number | null {
  const milliseconds = headerText(headers["retry-after-ms"]);
  if (DECIMAL.test(milliseconds)) return Math.ceil(Number(milliseconds));
  const text = headerText(headers["retry-after"]);
  if (DECIMAL.test(text)) return Math.ceil(Number(text) * 1000);
  // Only the date formats of RFC 9110 begin with the day of the week; `Date.parse` would take nearly anything.
  const dateMs = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - wallMs);
}

const DECIMAL = /^\d{1,15}(?:\.\d+)?$/;
