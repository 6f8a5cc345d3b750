/**
 * Classifies what the provider refuses, before an answer (`readError`) and in the middle of one (`readStreamError`).
 *
 * Wire facts: `{type:"error", error:{type, message}, request_id}` (anthropic-sdk-typescript, resources/shared.ts); the
 * error types and their statuses are those of the API's error page. A refused credential, a missing permission and an
 * unpaid bill are the operator's trouble and not the caller's: the caller is told in our words. Few errors have a code
 * (`error.details.error_code`), a prompt that is too long and filtered output none: those are known by their message,
 * which is kept.
 */
import { HeadgateError, type ErrorCode, type ErrorOptions } from "../../kernel/errors.ts";
import { isAccountTrouble } from "../account-trouble.ts";
import { readRetryAdvice } from "../retry-advice.ts";
import { asObject, asText } from "../wire-values.ts";

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
  /** `details.error_code`: few errors have one. */
  readonly code: string | null;
  readonly message: string | null;
}

export function readError(status: number, headers: Headers, body: Uint8Array, wallMs: number): HeadgateError {
  const wire = parseError(body);
  const message =
    wire.message ?? `The provider answered with status ${status} and a body that is not an error of the Messages API.`;
  return classify(status, wire, message, readRetryAdvice(status, headers, wallMs));
}

/** `json` is the `error` event of a stream that had begun with status 200; its type stands for the status. */
export function readStreamError(json: unknown): HeadgateError {
  const wire = readWireError(json);
  const status = statusOfType.get(wire.type ?? "") ?? 500;
  return classify(status, wire, wire.message ?? "The provider reported an error in the middle of the stream.", {});
}

function classify(status: number, wire: WireError, message: string, advice: ErrorOptions): HeadgateError {
  const code = classifyCode(status, wire);
  const options: ErrorOptions = {
    upstream: { type: wire.type, code: recognise(wire) ?? wire.code },
    ...(code === "upstream_rejected" ? { status } : {}),
    ...advice,
  };
  if (code !== "upstream_credentials") return new HeadgateError(code, message, options);
  return new HeadgateError(
    code,
    `The provider refused the gateway's own credential (status ${status}). The operator checks the provider's key, its permissions and its balance.`,
    options,
  );
}

function classifyCode(status: number, wire: WireError): ErrorCode {
  if (status === 401 || status === 402 || status === 403 || isAccountTrouble(status, wire))
    return "upstream_credentials";
  if (status === 429) return "upstream_rate_limited";
  if (status === 503 || status === 529 || wire.type === "overloaded_error") return "upstream_overloaded";
  return status >= 400 && status < 500 && status !== 408 ? "upstream_rejected" : "upstream_failed";
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
    return { type: null, code: null, message: null };
  }
}

function readWireError(json: unknown): WireError {
  const error = asObject(asObject(json)?.["error"]);
  return {
    type: asText(error?.["type"]),
    code: clean(asText(asObject(error?.["details"])?.["error_code"])),
    message: clean(asText(error?.["message"])),
  };
}

/** Bounded, on one line; what is left empty says nothing. */
function clean(text: string | null): string | null {
  if (text === null) return null;
  const bounded = text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX)}…` : text;
  const printable = bounded.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return printable === "" ? null : printable;
}
