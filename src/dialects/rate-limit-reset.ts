/**
 * When there is room again in a rate that a provider limits, by the headers that tell how its rates stand: for a 429 that
 * does not say when to come back. Each rate has what remains of it and when it is reset:
 *
 *   `x-ratelimit-remaining-requests`, `-tokens` with `x-ratelimit-reset-requests`, `-tokens`: a duration such as `1s`,
 *   `6m0s` or `12ms` (https://developers.openai.com/api/docs/guides/rate-limits). Compatible providers also send seconds
 *   (`59.7`), or the time as seconds or milliseconds since 1970.
 *
 *   `anthropic-ratelimit-requests-remaining`, `-tokens-`, `-input-tokens-`, `-output-tokens-` with `-reset`: a time by
 *   RFC 3339 (https://docs.claude.com/en/api/rate-limits).
 *
 * Only rates of which nothing remains count, the last of their times. The reset of a rate is when all of it is there again,
 * so it is the most that has to be waited. What cannot be read says nothing.
 */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Milliseconds from `wallMs`, 0 for a time that has passed; `null`: nothing is said. */
export function readRateLimitReset(headers: Headers, wallMs: number): number | null {
  let latestMs: number | null = null;
  for (const { remaining, reset } of rates) {
    if (!isUsedUp(headerText(headers[remaining]))) continue;
    const resetMs = readReset(headerText(headers[reset]), wallMs);
    if (resetMs !== null) latestMs = Math.max(latestMs ?? 0, resetMs);
  }
  return latestMs;
}

const rates: readonly { readonly remaining: string; readonly reset: string }[] = [
  ...["requests", "tokens"].map((rate) => ({
    remaining: `x-ratelimit-remaining-${rate}`,
    reset: `x-ratelimit-reset-${rate}`,
  })),
  ...["requests", "tokens", "input-tokens", "output-tokens"].map((rate) => ({
    remaining: `anthropic-ratelimit-${rate}-remaining`,
    reset: `anthropic-ratelimit-${rate}-reset`,
  })),
];

function isUsedUp(remaining: string): boolean {
  return /^-?\d{1,15}(?:\.\d+)?$/.test(remaining) && Number(remaining) <= 0;
}

/** Smaller numbers are seconds from now, larger ones a time: in seconds since 1970, and from a thousand times as much in milliseconds. */
const EPOCH_SECONDS_MIN = 1e9;
const EPOCH_MS_MIN = 1e12;

function readReset(text: string, wallMs: number): number | null {
  if (/^\d{1,15}(?:\.\d+)?$/.test(text)) return readNumber(Number(text), wallMs);
  if (/^\d{4}-\d\d-\d\dT/.test(text)) {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs) ? null : fromNow(atMs, wallMs);
  }
  return readDuration(text);
}

function readNumber(value: number, wallMs: number): number {
  if (value >= EPOCH_MS_MIN) return fromNow(value, wallMs);
  return value >= EPOCH_SECONDS_MIN ? fromNow(value * 1000, wallMs) : Math.ceil(value * 1000);
}

function fromNow(atMs: number, wallMs: number): number {
  return Math.max(0, Math.ceil(atMs - wallMs));
}

const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
const DURATION = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|us|µs|ns|[dhms]))+$/;

/** As Go writes it: `1h2m3.5s`. */
function readDuration(text: string): number | null {
  if (!DURATION.test(text)) return null;
  let sumMs = 0;
  for (const [, value, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g)) sumMs += Number(value) * (unitMs[unit ?? ""] ?? 0);
  return Math.ceil(sumMs);
}

/** Of several of a name the first; `""` where there is none. */
export function headerText(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header)?.trim() ?? "";
}
