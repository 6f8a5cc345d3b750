/**
 * Errors in Anthropic's shape, `{type: "error", error: {type, message}, request_id}`, with the types of the API's error
 * page by status. The stable code and the field at fault stand beside the type, and the code once more where Anthropic's
 * SDK reads one (`error.details.error_code`, anthropic-sdk-typescript, core/error.ts).
 *
 * Of a request that its provider refused the code is the provider's own, where it has one, as with OpenAI's dialects.
 */
import type { HeadgateError } from "../../../kernel/errors.ts";

const typeOfStatus: ReadonlyMap<number, string> = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [409, "conflict_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

export function encodeError(error: HeadgateError, requestId: string): Uint8Array {
  return Buffer.from(render(error, requestId));
}

export function encodeStreamError(error: HeadgateError, requestId: string): Uint8Array {
  return Buffer.from(`event: error\ndata: ${render(error, requestId)}\n\n`);
}

function render(error: HeadgateError, requestId: string): string {
  const theirs = error.code === "upstream_rejected" || error.code === "upstream_rate_limited" ? error.upstream : null;
  const { message, param } = error;
  const code = theirs?.code ?? error.code;
  const details = { error_code: isAboutThreads(error) ? THREADS_UNSUPPORTED : code };
  return JSON.stringify({
    type: "error",
    error: { type: typeOf(error), message, code, param, details },
    request_id: requestId,
  });
}

/** At this code Anthropic's SDK goes on by itself without a thread (anthropic-sdk-typescript, ThreadState.recoversFrom). */
const THREADS_UNSUPPORTED = "thread_unsupported_request";

function isAboutThreads({ code, param }: HeadgateError): boolean {
  return code === "unsupported_parameter" && param === "thread";
}

function typeOf({ status }: HeadgateError): string {
  return typeOfStatus.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error");
}
