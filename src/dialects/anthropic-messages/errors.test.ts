import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../../kernel/errors.ts";
import { readError, readStreamError } from "./errors.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 8, 0, 0);

function refusal(type: string, message: string): Buffer {
  return Buffer.from(JSON.stringify({ type: "error", error: { type, message }, request_id: "req_011" }));
}

test("classifies each refusal by whose fault it is and whether another target can help", () => {
  const table: [number, string, ErrorCode, number][] = [
    [400, "invalid_request_error", "upstream_rejected", 400],
    [401, "authentication_error", "upstream_credentials", 502],
    [402, "billing_error", "upstream_credentials", 502],
    [403, "permission_error", "upstream_credentials", 502],
    [404, "not_found_error", "upstream_rejected", 404],
    [408, "timeout_error", "upstream_failed", 502],
    [413, "request_too_large", "upstream_rejected", 413],
    [422, "invalid_request_error", "upstream_rejected", 422],
    [429, "rate_limit_error", "upstream_rate_limited", 429],
    [500, "api_error", "upstream_failed", 502],
    [502, "api_error", "upstream_failed", 502],
    [503, "api_error", "upstream_overloaded", 529],
    [504, "timeout_error", "upstream_failed", 502],
    [529, "overloaded_error", "upstream_overloaded", 529],
  ];
  for (const [status, type, code, shown] of table) {
    const error = readError(status, {}, refusal(type, "Say why."), NOW_MS);
    assert.deepEqual([error.code, error.status, error.upstream?.type], [code, shown, type]);
    assert.equal(error.message === "Say why.", code !== "upstream_credentials");
  }
});

test("takes an account without credit as the operator's trouble although the status is 400", () => {
  const error = readError(
    400,
    {},
    refusal("invalid_request_error", "Your credit balance is too low to access the API."),
    NOW_MS,
  );
  assert.equal(error.code, "upstream_credentials");
});

test("recognises a prompt that is too long and filtered output by their messages, which it keeps", () => {
  const long = readError(
    400,
    {},
    refusal("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    NOW_MS,
  );
  assert.equal(long.upstream?.code, "context_length_exceeded");
  assert.equal(long.message, "prompt is too long: 210000 tokens > 200000 maximum");
  const filtered = readError(
    400,
    {},
    refusal("invalid_request_error", "Output blocked by content filtering policy"),
    NOW_MS,
  );
  assert.equal(filtered.upstream?.code, "content_filter");
  assert.equal(readError(400, {}, refusal("invalid_request_error", "tools: too many"), NOW_MS).upstream?.code, null);
});

test("describes a body that is not an error of the API without quoting it", () => {
  for (const body of ["<html>502 Bad Gateway</html>", "", "null", "[]", '{"error":"down"}', "\ufffd"]) {
    const error = readError(502, {}, Buffer.from(body), NOW_MS);
    assert.equal(error.code, "upstream_failed");
    assert.match(error.message, /status 502/);
    assert.doesNotMatch(error.message, /html|down/);
  }
});

test("bounds the provider's message and keeps it on one line", () => {
  assert.equal(readError(400, {}, refusal("invalid_request_error", "a\r\nb"), NOW_MS).message, "a b");
  const error = readError(400, {}, refusal("invalid_request_error", "x".repeat(50_000)), NOW_MS);
  assert.ok(error.message.length <= 2_001);
});

test("reads how long the provider asks to wait", () => {
  const wait = (headers: Record<string, string>): number | null =>
    readError(429, headers, refusal("rate_limit_error", "m"), NOW_MS).retryAfterMs;
  assert.equal(wait({ "retry-after": "20" }), 20_000);
  assert.equal(wait({ "retry-after": "Sat, 21 Nov 2026 08:00:30 GMT" }), 30_000);
  const reset = {
    "anthropic-ratelimit-input-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-21T08:00:07Z",
  };
  assert.equal(wait(reset), 7_000);
  assert.equal(wait({ ...reset, "retry-after": "3" }), 3_000, "what it asks for counts first");
  assert.equal(
    readError(429, { "x-should-retry": "false" }, refusal("rate_limit_error", "m"), NOW_MS).shouldRetry,
    false,
  );
  assert.equal(wait({}), null);
});

test("keeps the provider's words about our credential from the caller", () => {
  const error = readError(401, {}, refusal("authentication_error", "invalid x-api-key sk-ant-abc"), NOW_MS);
  assert.doesNotMatch(error.message, /sk-ant/);
});

test("classifies an error in a stream by its type, because its status was 200", () => {
  const table: [string, ErrorCode][] = [
    ["overloaded_error", "upstream_overloaded"],
    ["rate_limit_error", "upstream_rate_limited"],
    ["api_error", "upstream_failed"],
    ["timeout_error", "upstream_failed"],
    ["invalid_request_error", "upstream_rejected"],
    ["authentication_error", "upstream_credentials"],
    ["an_error_of_tomorrow", "upstream_failed"],
  ];
  for (const [type, code] of table) {
    const error = readStreamError({ type: "error", error: { type, message: "Say why." } });
    assert.equal(error.code, code);
  }
  assert.equal(readStreamError({ type: "error" }).code, "upstream_failed");
});

test("keeps the provider's own code where it has one", () => {
  const error = { type: "invalid_request_error", message: "Too large.", details: { error_code: "image_too_large" } };
  const read = readError(400, {}, Buffer.from(JSON.stringify({ type: "error", error })), NOW_MS);
  assert.deepEqual(read.upstream, { type: "invalid_request_error", code: "image_too_large" });
});
