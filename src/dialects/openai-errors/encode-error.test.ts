import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../kernel/errors.ts";
import { encodeError, encodeStreamError } from "./encode-error.ts";

function encode(error: HeadgateError): unknown {
  return JSON.parse(Buffer.from(encodeError(error, "req_1")).toString("utf8"));
}

test("an error of the gateway has OpenAI's shape and our code", () => {
  assert.deepEqual(encode(new HeadgateError("invalid_value", "n must be …", { param: "n" })), {
    error: {
      message: "n must be …",
      type: "invalid_request_error",
      param: "n",
      code: "invalid_value",
      request_id: "req_1",
    },
  });
  const overloaded = encode(new HeadgateError("overloaded", "x")) as { error: { type: string } };
  assert.equal(overloaded.error.type, "server_error");
});

test("a provider's refusal keeps its type and code", () => {
  const upstream = { type: "invalid_request_error", code: "context_length_exceeded" };
  const error = new HeadgateError("upstream_rejected", "too long", { status: 400, param: "messages", upstream });
  const body = encode(error) as { error: Record<string, unknown> };
  assert.deepEqual(
    [body.error["type"], body.error["code"], body.error["param"]],
    ["invalid_request_error", "context_length_exceeded", "messages"],
  );
});

test("a refused credential of the gateway does not read as the caller's", () => {
  const upstream = { type: "invalid_request_error", code: "invalid_api_key" };
  const body = encode(new HeadgateError("upstream_credentials", "x", { upstream })) as {
    error: Record<string, unknown>;
  };
  assert.deepEqual([body.error["type"], body.error["code"]], ["server_error", "upstream_credentials"]);
});

test("a rate limit of a provider without words of its own is a rate_limit_error", () => {
  const error = new HeadgateError("upstream_rate_limited", "slow down", { upstream: { type: null, code: null } });
  const body = encode(error) as { error: Record<string, unknown> };
  assert.deepEqual([body.error["type"], body.error["code"]], ["rate_limit_error", "upstream_rate_limited"]);
});

test("an error in a stream is one data event", () => {
  const text = Buffer.from(encodeStreamError(new HeadgateError("stream_truncated", "cut\nhere"), "req_1")).toString();
  assert.match(text, /^data: \{[^\n]*\}\n\n$/);
  assert.equal(JSON.parse(text.slice(6)).error.code, "stream_truncated");
});
