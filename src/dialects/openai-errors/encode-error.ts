/**
 * Errors in OpenAI's shape, `{error: {message, type, param, code}}` (OpenAI's error guide), with the request id beside
 * them because an error in the middle of a stream has no header to carry it.
 *
 * What the provider said of a request it refused is passed on in its own words. Of its other failures the caller is
 * told ours: a provider's `invalid_api_key` would read as if the caller's key were wrong.
 */
import type { HeadgateError } from "../../kernel/errors.ts";

export function encodeError(error: HeadgateError, requestId: string): Uint8Array {
  return Buffer.from(render(error, requestId));
}

export function encodeStreamError(error: HeadgateError, requestId: string): Uint8Array {
  return Buffer.from(`data: ${render(error, requestId)}\n\n`);
}

function render(error: HeadgateError, requestId: string): string {
  const theirs = error.code === "upstream_rejected" || error.code === "upstream_rate_limited" ? error.upstream : null;
  return JSON.stringify({
    error: {
      message: error.message,
      type: theirs?.type ?? ownType(error),
      param: error.param,
      code: theirs?.code ?? error.code,
      request_id: requestId,
    },
  });
}

function ownType(error: HeadgateError): string {
  if (error.status === 429) return "rate_limit_error";
  return error.status < 500 ? "invalid_request_error" : "server_error";
}
