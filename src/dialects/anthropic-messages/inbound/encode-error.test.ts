import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError, type ErrorCode } from "../../../kernel/errors.ts";
import { SseParser, type SseEvent } from "../../sse.ts";
import { MessagesStreamReader } from "../stream-reader.ts";
import { encodeError, encodeStreamError } from "./encode-error.ts";

function encode(error: HeadgateError) {
  return JSON.parse(Buffer.from(encodeError(error, "req_1")).toString("utf8"));
}

test("an error of the gateway has Anthropic's shape, our code and the field at fault", () => {
  assert.deepEqual(encode(new HeadgateError("missing_field", "max_tokens is required.", { param: "max_tokens" })), {
    type: "error",
    error: {
      type: "invalid_request_error",
      message: "max_tokens is required.",
      code: "missing_field",
      param: "max_tokens",
      details: { error_code: "missing_field" },
    },
    request_id: "req_1",
  });
});

const types: readonly (readonly [ErrorCode, string])[] = [
  ["invalid_json", "invalid_request_error"],
  ["invalid_api_key", "authentication_error"],
  ["budget_exhausted", "billing_error"],
  ["model_not_allowed", "permission_error"],
  ["model_not_found", "not_found_error"],
  ["method_not_allowed", "invalid_request_error"],
  ["idempotency_running", "conflict_error"],
  ["body_too_large", "request_too_large"],
  ["idempotency_mismatch", "invalid_request_error"],
  ["rate_limited", "rate_limit_error"],
  ["internal", "api_error"],
  ["upstream_failed", "api_error"],
  ["upstream_credentials", "api_error"],
  ["target_unavailable", "overloaded_error"],
  ["first_token_timeout", "timeout_error"],
  ["upstream_overloaded", "overloaded_error"],
];

for (const [code, type] of types) {
  test(`${code} is of Anthropic's type ${type}`, () => {
    assert.equal(encode(new HeadgateError(code, "x")).error.type, type);
  });
}

test("a provider's refusal keeps its status, and its code where it has one", () => {
  const upstream = { type: "invalid_request_error", code: "context_length_exceeded" };
  const { error } = encode(new HeadgateError("upstream_rejected", "too long", { status: 413, upstream }));
  assert.deepEqual([error.type, error.code], ["request_too_large", "context_length_exceeded"]);
  const unnamed = { type: "invalid_request_error", code: null };
  const other = encode(new HeadgateError("upstream_rejected", "no", { status: 422, upstream: unnamed }));
  assert.deepEqual([other.error.type, other.error.code], ["invalid_request_error", "upstream_rejected"]);
});

test("a conversation that is not kept is refused in the word at which the SDK sends all of it", () => {
  const error = new HeadgateError("unsupported_parameter", "no threads", { param: "thread" });
  assert.equal(encode(error).error.details.error_code, "thread_unsupported_request");
});

test("a refused credential of the gateway does not read as the caller's", () => {
  const upstream = { type: "authentication_error", code: null };
  const { error } = encode(new HeadgateError("upstream_credentials", "x", { upstream }));
  assert.deepEqual([error.type, error.code], ["api_error", "upstream_credentials"]);
});

test("an error in a stream is one event by the name of error, which this dialect's reader takes for one", () => {
  const bytes = encodeStreamError(new HeadgateError("upstream_overloaded", "cut\nhere"), "req_1");
  assert.match(Buffer.from(bytes).toString("utf8"), /^event: error\ndata: \{[^\n]*\}\n\n$/);
  const events: SseEvent[] = [];
  new SseParser({ eventBytes: 1 << 16 }).push(bytes, (event) => events.push(event));
  const reader = new MessagesStreamReader();
  assert.deepEqual(
    events.map((event) => reader.read(event)),
    ["error"],
  );
  assert.equal(reader.failure?.code, "upstream_overloaded");
});
