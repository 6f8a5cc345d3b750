/**
 * The headers of every response. Values may be texts of callers and providers: the responder makes them safe. Each `x-headgate-*` name is listed here once, with its sentence for
 * docs/reference/headers.md.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Rates } from "../../limits/limits.ts";
import type { Target } from "../../routing/plan.ts";
import type { AttemptCall } from "../attempt/call.ts";
import type { Exchange } from "../exchange.ts";
import { summarizeLosses } from "./losses.ts";
import { modelServed } from "./settle.ts";
import { describeTrail, hasTrail } from "./trail.ts";

export const responseHeaderDocs: Readonly<Record<string, string>> = {
  "x-request-id": "The gateway's id of the request, on every response; the record and the log carry it.",
  "request-id": "On the Messages API: the same as `x-request-id`, where Anthropic's SDKs read it.",
  "x-headgate-provider": "The provider that answered, as the configuration names it.",
  "x-headgate-model": "`provider/model` that served the request.",
  "x-headgate-attempts":
    "Unless the first target was called once and that was all: each target in order with what became of it, `answered`, `cancelled` or an error code; one that was passed over with the reason, e.g. `target_unavailable` (left alone after failures), `target_limited` (its provider limits its rate) or `overloaded` (no room).",
  "x-headgate-upstream-request-id": "The provider's own id of the call, where it gives one.",
  "x-headgate-dropped":
    "Comma-separated fields of the request that the target's dialect cannot carry and that were left out; at about 1 kB it ends with `and N more`.",
  "x-headgate-cost-nano-usd":
    "What the request cost, in nano-dollars (1e-9 USD). Not on streams, whose cost is known at their end, and not for models without a price.",
  "x-headgate-cache":
    "Where the route caches: `hit`, the answer was kept; `semantic`, it was kept for a request in other words; `joined`, an identical request under way gave it; `miss`, a call was made for it; `bypass`, and the answer is not kept.",
  "x-headgate-cache-similarity":
    "With `x-headgate-cache: semantic`: how near the two requests are, as the cosine between the vectors of their last messages.",
  "x-headgate-answer-of": "Of an answer that was made for another request: that one's `x-request-id`.",
  "idempotent-replayed":
    "`true` where the answer is that of an earlier request with the same `Idempotency-Key`. It costs nothing.",
  age: "Of an answer that was kept: seconds since it was complete.",
  "x-headgate-clamped-output-tokens":
    "The bound on output that a budget could pay for, where the caller allowed it by `x-headgate-clamp: output`.",
  "x-headgate-allowance": "On 402 and 429 of the gateway's own: the name of the allowance that refused.",
  "x-ratelimit-limit-requests":
    "The most requests at once of the tightest rate on the request's path; `-remaining-` what is left of it, `-reset-` when it is full again (`1s`, `6m0s`). Not sent where no rate applies, nor on the Messages API.",
  "x-ratelimit-remaining-requests": "See `x-ratelimit-limit-requests`.",
  "x-ratelimit-reset-requests": "See `x-ratelimit-limit-requests`.",
  "x-ratelimit-limit-tokens": "The same for tokens.",
  "x-ratelimit-remaining-tokens": "See `x-ratelimit-limit-tokens`.",
  "x-ratelimit-reset-tokens": "See `x-ratelimit-limit-tokens`.",
  "anthropic-ratelimit-requests-limit":
    "On the Messages API, the same in Anthropic's names: `-remaining` is what is left of it, `-reset` the time at which it is full again (RFC 3339).",
  "anthropic-ratelimit-requests-remaining": "See `anthropic-ratelimit-requests-limit`.",
  "anthropic-ratelimit-requests-reset": "See `anthropic-ratelimit-requests-limit`.",
  "anthropic-ratelimit-tokens-limit": "The same for tokens.",
  "anthropic-ratelimit-tokens-remaining": "See `anthropic-ratelimit-tokens-limit`.",
  "anthropic-ratelimit-tokens-reset": "See `anthropic-ratelimit-tokens-limit`.",
  "x-headgate-error-code": "On errors: the stable code of the error catalogue.",
  "x-should-retry":
    "On errors, as the SDKs of OpenAI and Anthropic read it: `false` where trying again cannot help or would be billed again, else what the provider said, if anything.",
  "retry-after": "On errors where waiting helps: seconds, rounded up.",
  "retry-after-ms": "The same in milliseconds, which the SDKs prefer.",
};

/** Times count from the beginning of the request. */
function pushRates(headers: string[], { dialect, startedAtMs }: Caller, { requestRate, tokenRate }: Rates): void {
  const { inbound } = dialect;
  if (requestRate !== null) inbound?.pushRate(headers, { meter: "requests", ...requestRate }, startedAtMs);
  if (tokenRate !== null) inbound?.pushRate(headers, { meter: "tokens", ...tokenRate }, startedAtMs);
}

/** What of an exchange decides in which words headers are told. */
type Caller = Pick<Exchange, "requestId" | "dialect" | "startedAtMs">;

function headersWithId({ requestId, dialect }: Caller): string[] {
  const headers = ["x-request-id", requestId];
  const own = dialect.inbound?.requestIdHeader;
  if (own !== undefined) headers.push(own, requestId);
  return headers;
}

/** The head of a stream: leaves at its commit point, if it has not left early. */
export function openStreamHead(exchange: Exchange): void {
  if (!exchange.responder.headSent) startStream(exchange, answerHeaders(exchange));
}

/** What of an exchange a head needs that leaves before the answer begins. */
export type YetToBegin = Caller &
  Pick<Exchange, "responder" | "legs" | "share"> & {
    readonly attempts: readonly { readonly attempt: { readonly call: CallThatLost } }[];
  };

export type CallThatLost = Pick<AttemptCall, "losses">;

/** The head of a stream that has yet to begin. Whose it will be is certain only where there is one target, `only`. */
export function openHeadEarly(exchange: YetToBegin, only: Pick<Target, "provider" | "name"> | null): void {
  const { legs, share, attempts } = exchange;
  const headers = headersWithId(exchange);
  const rates = legs.at(-1)?.reservation ?? null;
  if (rates !== null) pushRates(headers, exchange, rates);
  share?.pushHeaders(headers);
  if (only !== null) pushServer(headers, only.provider, only.name, attempts.at(-1)?.attempt.call.losses ?? []);
  startStream(exchange, headers);
}

function startStream({ responder }: Pick<Exchange, "responder">, headers: string[]): void {
  pushStreamType(headers);
  responder.start(200, headers);
}

/** What says that the body is an event stream, and keeps proxies from collecting it. */
export function pushStreamType(headers: string[]): void {
  headers.push(
    "content-type",
    "text/event-stream; charset=utf-8",
    "cache-control",
    "no-cache",
    "x-accel-buffering",
    "no",
  );
}

/** Alternating names and values, for an answer that a provider gave. */
export function answerHeaders(exchange: Exchange): string[] {
  const headers = headersWithId(exchange);
  const leg = exchange.decisive ?? exchange.legs.at(-1);
  const rates = leg?.reservation ?? exchange.refusedRates;
  if (rates !== null) pushRates(headers, exchange, rates);
  const outputBound = leg?.outputBound ?? null;
  if (outputBound !== null) headers.push("x-headgate-clamped-output-tokens", String(outputBound));
  exchange.share?.pushHeaders(headers);
  if (hasTrail(exchange)) headers.push("x-headgate-attempts", describeTrail(exchange));
  const open = exchange.toldAttempt;
  if (open === null) return headers;
  const { attempt, hold } = open;
  pushServer(headers, hold.provider, modelServed(open), attempt.call.losses);
  if (attempt.upstreamRequestId !== null) headers.push("x-headgate-upstream-request-id", attempt.upstreamRequestId);
  return headers;
}

function pushServer(headers: string[], provider: string, model: string, losses: readonly string[]): void {
  headers.push("x-headgate-provider", provider, "x-headgate-model", model);
  if (losses.length > 0) headers.push("x-headgate-dropped", summarizeLosses(losses).join(", "));
}

/** An allowance that refused says by its `retry-after` whether there will be room. `null`: nothing is known. */
function retryHelps({ allowance, retry, retryAfterMs }: HeadgateError): boolean | null {
  if (allowance !== null) return retryAfterMs !== null;
  return retry === "never" ? false : null;
}

export function errorHeaders(exchange: Exchange, error: HeadgateError): string[] {
  const headers = answerHeaders(exchange);
  headers.push("content-type", "application/json", "x-headgate-error-code", error.code);
  const shouldRetry = error.shouldRetry ?? retryHelps(error);
  if (shouldRetry !== null) headers.push("x-should-retry", String(shouldRetry));
  if (error.allowance !== null) headers.push("x-headgate-allowance", error.allowance);
  if (error.allow !== null) headers.push("allow", error.allow);
  if (error.retryAfterMs !== null) {
    headers.push(
      "retry-after",
      String(Math.ceil(error.retryAfterMs / 1000)),
      "retry-after-ms",
      String(Math.ceil(error.retryAfterMs)),
    );
  }
  if (error.status === 401) headers.push("www-authenticate", 'Bearer realm="headgate"');
  return headers;
}
