/**
 * Classifies what a provider refuses, before an answer (`readError`) and in the middle of one (`readStreamError`).
 *
 * A refused credential (401, 403) or an unpaid bill (402), whatever their status (`isAccountTrouble`), is the operator's trouble, not the caller's, and the
 * provider's words about it can hold parts of a key: the caller is told ours. What a provider says of a request it
 * refuses is the caller's to read, cut to a bound and without control characters; web pages are never passed on.
 */
import { HeadgateError, type ErrorCode, type ErrorOptions } from "../../kernel/errors.ts";
import { isAccountTrouble } from "../account-trouble.ts";
import { readRetryAdvice } from "../retry-advice.ts";
import { asCount, asObject } from "../wire-values.ts";
import { parseErrorBody, readErrorObject, type ProviderError } from "./error-body.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function readError(status: number, headers: Headers, body: Uint8Array, wallMs: number): HeadgateError {
  const said = parseErrorBody(body);
  const fallback = `The provider answered with status ${status} and no error message that can be passed on.`;
  return classify(status, said, fallback, readRetryAdvice(status, headers, wallMs));
}

/** `json` is an error event of a stream that had begun with status 200, or a choice that ended in `error`. */
export function readStreamError(json: unknown): HeadgateError {
  const said = readErrorObject(json);
  const fallback = "The provider reported an error in its answer, without a message.";
  return classify(statusOfStreamError(json, said), said, fallback, {});
}

function classify(status: number, said: ProviderError, fallback: string, advice: ErrorOptions): HeadgateError {
  const upstreamCode = recogniseCode(status, said);
  const code = isAccountTrouble(status, said) ? "upstream_credentials" : classifyCode(status, upstreamCode);
  const options: ErrorOptions = {
    upstream: { type: said.type, code: upstreamCode },
    ...(code === "upstream_rejected" ? { status } : {}),
    ...(code === "upstream_rejected" && said.param !== null ? { param: said.param } : {}),
    ...advice,
  };
  if (code === "upstream_credentials") {
    const message = `The provider refused the gateway's own credential (status ${status}). The operator checks the provider's key, its permissions and its balance.`;
    return new HeadgateError(code, message, options);
  }
  return new HeadgateError(code, said.message ?? fallback, options);
}

function classifyCode(status: number, upstreamCode: string | null): ErrorCode {
  if (status === 429) return "upstream_rate_limited";
  if (status === 503 || status === 529) return "upstream_overloaded";
  if (status >= 500 || status < 400 || status === 408) return "upstream_failed";
  // OpenRouter answers 403 for input that its moderation flags.
  if (status === 403 && isContentFilter(upstreamCode)) return "upstream_rejected";
  if (status === 401 || status === 402 || status === 403) return "upstream_credentials";
  return "upstream_rejected";
}

const contentFilterCodes: ReadonlySet<string> = new Set([
  "content_filter",
  "content_policy_violation",
  "moderation_blocked",
]);

function isContentFilter(code: string | null): boolean {
  return code !== null && contentFilterCodes.has(code);
}

const CONTEXT_LENGTH =
  /maximum (?:context|prompt|input) length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens/i;
const CONTENT_FILTER = /content (?:management )?policy|content filter|input was flagged|flagged (?:for|by) moderation/i;

/** The provider's own code, or the one OpenAI would have given where only the message says it. */
function recogniseCode(status: number, said: ProviderError): string | null {
  if (status < 400 || status >= 500 || status === 429) return said.code;
  if (said.code === "context_length_exceeded" || isContentFilter(said.code) || said.message === null) return said.code;
  if (status !== 403 && CONTEXT_LENGTH.test(said.message)) return "context_length_exceeded";
  return CONTENT_FILTER.test(said.message) ? "content_filter" : said.code;
}

const statusOfKind: ReadonlyMap<string | null, number> = new Map<string | null, number>([
  ["invalid_request_error", 400],
  ["BadRequestError", 400],
  ["context_length_exceeded", 400],
  ["content_filter", 400],
  ["authentication_error", 401],
  ["insufficient_quota", 429],
  ["rate_limit_error", 429],
  ["rate_limit_exceeded", 429],
  ["overloaded_error", 529],
  ["service_unavailable", 503],
]);

/** OpenRouter's `code` is an HTTP status; elsewhere the type or code stands for one. Unknown is the provider's failure. */
function statusOfStreamError(json: unknown, said: ProviderError): number {
  const error = asObject(asObject(json)?.["error"]) ?? asObject(json);
  const status = asCount(error?.["code"]) ?? asCount(error?.["status"]);
  if (status !== null && status >= 400 && status < 600) return status;
  return statusOfKind.get(said.code) ?? statusOfKind.get(said.type) ?? 500;
}
