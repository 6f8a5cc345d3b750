/**
 * Classifies what the provider refuses, before an answer (`readError`) and in the middle of one (`readStreamError`).
 *
 * Wire facts: `{type:"error", error:{type, message}, request_id}` (anthropic-sdk-typescript, resources/shared.ts); the
 * error types and their statuses are those of the API's error page. A refused credential, a missing permission and an
 * unpaid bill are the operator's trouble and not the caller's, so they are `upstream_credentials`. The API has no code
 * for a prompt that is too long or for filtered output: those are known by their message, which is kept.
 */
import { HeadgateError, type ErrorCode, type ErrorOptions } from "../../kernel/errors.ts";
import { asObject, asText } from "./wire-values.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const statusOfType: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["timeout_error", 504],
  ["overloaded_error", 529],
]);

const MESSAGE_LENGTH_MAX = 2_000;

interface WireError {
  readonly type: string | null;
  readonly message: string | null;
}

export function readError(status: number, headers: Headers, body: Uint8Array, wallMs: number): HeadgateError {
  const wire = parseError(body);
  const retryAfterMs = readRetryAfter(headers, wallMs);
  const message =
    wire.message ?? `The provider answered with status ${status} and a body that is not an error of the Messages API.`;
  return classify(status, wire, message, retryAfterMs);
}

/** `json` is the `error` event of a stream that had begun with status 200; its type stands for the status. */
export function readStreamError(json: unknown): HeadgateError {
  const wire = readWireError(json);
  const status = statusOfType.get(wire.type ?? "") ?? 500;
  return classify(status, wire, wire.message ?? "The provider reported an error in the middle of the stream.", null);
}

function classify(status: number, wire: WireError, message: string, retryAfterMs: number | null): HeadgateError {
  const shown = message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message;
  const code = classifyCode(status, wire);
  const options: ErrorOptions = {
    upstream: { type: wire.type, code: recognise(wire) },
    ...(keepsStatus(code, status) ? { status } : {}),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
  return new HeadgateError(code, shown, options);
}

function classifyCode(status: number, wire: WireError): ErrorCode {
  if (status === 401 || status === 402 || status === 403 || isUnpaid(wire)) return "upstream_credentials";
  if (status === 429) return "upstream_rate_limited";
  if (status === 529 || wire.type === "overloaded_error") return "upstream_overloaded";
  if (status === 408) return "upstream_failed";
  if (status >= 400 && status < 500) return "upstream_rejected";
  return "upstream_failed";
}

/** A refusal keeps the provider's status, and so does a server error whose status tells more than 502. */
function keepsStatus(code: ErrorCode, status: number): boolean {
  return code === "upstream_rejected" || (code === "upstream_failed" && (status === 503 || status === 504));
}

/** An account without credit is refused as an invalid request, status 400. */
function isUnpaid(wire: WireError): boolean {
  return wire.message !== null && wire.message.includes("credit balance is too low");
}

function recognise(wire: WireError): string | null {
  if (wire.type !== "invalid_request_error" || wire.message === null) return null;
  if (wire.message.includes("prompt is too long") || wire.message.includes("exceed context limit")) {
    return "context_length_exceeded";
  }
  return wire.message.includes("content filtering policy") ? "content_filter" : null;
}

function parseError(body: Uint8Array): WireError {
  try {
    return readWireError(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return { type: null, message: null };
  }
}

function readWireError(json: unknown): WireError {
  const error = asObject(asObject(json)?.["error"]);
  return { type: asText(error?.["type"]), message: asText(error?.["message"]) };
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110). */
function readRetryAfter(headers: Headers, wallMs: number): number | null {
  const milliseconds = Number.parseFloat(first(headers["retry-after-ms"]));
  if (milliseconds >= 0) return Math.ceil(milliseconds);
  const text = first(headers["retry-after"]);
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - wallMs);
}

function first(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header)?.trim() ?? "";
}
