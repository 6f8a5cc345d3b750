import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeadgateError } from "../../kernel/errors.ts";
import { readError, readStreamError } from "./read-error.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12);

function read(status: number, body: unknown, headers: Record<string, string> = {}): HeadgateError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readError(status, headers, Buffer.from(text), NOW_MS);
}

describe("readError", () => {
  test("classifies by status", () => {
    const codes: readonly (readonly [number, string, number])[] = [
      [400, "upstream_rejected", 400],
      [401, "upstream_credentials", 502],
      [402, "upstream_credentials", 502],
      [403, "upstream_credentials", 502],
      [404, "upstream_rejected", 404],
      [408, "upstream_failed", 502],
      [413, "upstream_rejected", 413],
      [422, "upstream_rejected", 422],
      [429, "upstream_rate_limited", 429],
      [500, "upstream_failed", 502],
      [502, "upstream_failed", 502],
      [503, "upstream_overloaded", 529],
      [504, "upstream_failed", 502],
      [529, "upstream_overloaded", 529],
    ];
    for (const [status, code, shown] of codes) {
      const error = read(status, { error: { message: "m", type: "t", param: "p", code: "c" } });
      assert.deepEqual([error.code, error.status], [code, shown], String(status));
      assert.deepEqual(error.upstream, { type: "t", code: "c" });
    }
  });

  test("passes a refusal on in the provider's words", () => {
    const error = read(400, {
      error: {
        message: "Unknown parameter: 'x'.",
        type: "invalid_request_error",
        param: "x",
        code: "unknown_parameter",
      },
    });
    assert.deepEqual([error.message, error.param], ["Unknown parameter: 'x'.", "x"]);
  });

  test("does not repeat what a provider says about a credential", () => {
    const error = read(401, {
      error: { message: "Incorrect API key provided: sk-abc***xyz", code: "invalid_api_key" },
    });
    assert.doesNotMatch(error.message, /sk-abc/);
    assert.match(error.message, /operator/);
  });

  test("finds the message in every shape", () => {
    const bodies: readonly unknown[] = [
      { error: { message: "it broke" } },
      { error: "it broke" },
      [{ error: { code: 400, message: "it broke", status: "INVALID_ARGUMENT" } }],
      { object: "error", message: "it broke", type: "BadRequestError", param: null, code: 400 },
      { detail: "it broke" },
      { message: "it broke" },
    ];
    for (const body of bodies) assert.equal(read(400, body).message, "it broke", JSON.stringify(body));
    const list = { detail: [{ loc: ["body", "messages"], msg: "field required" }] };
    assert.equal(read(422, list).message, "body.messages: field required");
    assert.equal(read(422, { object: "error", message: list }).message, "body.messages: field required");
    assert.equal(read(400, { error: { message: "m", code: 400 } }).upstream?.code, "400");
  });

  test("never passes on a web page, an empty body or something that is not text", () => {
    const page = "<!DOCTYPE html><html><body>nginx 10.0.0.7</body></html>";
    for (const body of [page, "", "{", "null", "7", { error: { message: page } }]) {
      const error = read(502, body);
      assert.equal(error.code, "upstream_failed");
      assert.match(error.message, /status 502 and no error message/);
    }
    assert.equal(readError(500, {}, Buffer.of(0xff, 0xfe), NOW_MS).code, "upstream_failed");
  });

  test("bounds the message and removes control characters", () => {
    const { message } = read(400, { error: { message: `a\u0000\n\u001b[31mb${"x".repeat(5000)}` } });
    assert.ok(message.startsWith("a [31mb"));
    assert.equal(message.length, 2000 - 1);
  });

  test("recognises a prompt that is too long, also where only the message says so", () => {
    const messages = [
      "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
      "The input exceeds the context window of this model.",
      "prompt is too long: 210000 tokens > 200000 maximum",
    ];
    for (const message of messages) {
      const error = read(400, { error: { message, type: "BadRequestError", code: 400 } });
      assert.equal(error.upstream?.code, "context_length_exceeded");
    }
    assert.equal(read(429, { error: { message: "too many tokens per minute" } }).upstream?.code, null);
  });

  test("recognises a content filter, also behind status 403", () => {
    const azure = { error: { message: "The response was filtered …", code: "content_filter" } };
    assert.equal(read(400, azure).upstream?.code, "content_filter");
    const openai = { error: { message: "Rejected by our safety system", code: "content_policy_violation" } };
    assert.equal(read(400, openai).upstream?.code, "content_policy_violation");
    const openrouter = read(403, { error: { code: 403, message: "Your input was flagged" } });
    assert.deepEqual([openrouter.code, openrouter.upstream?.code], ["upstream_rejected", "content_filter"]);
  });

  test("takes an account without credit for the operator's trouble, not for a rate limit", () => {
    for (const error of [{ code: "insufficient_quota" }, { type: "insufficient_quota", code: null }]) {
      const read429 = read(429, { error: { message: "You exceeded your current quota", ...error } });
      assert.deepEqual([read429.code, read429.status], ["upstream_credentials", 502]);
    }
    const inStream = readStreamError({ error: { message: "m", type: "insufficient_quota" } });
    assert.equal(inStream.code, "upstream_credentials");
  });

  test("keeps the provider's word on trying again", () => {
    const said = (value: string): boolean | null => read(429, {}, { "x-should-retry": value }).shouldRetry;
    assert.deepEqual([said("false"), said("true"), said("maybe")], [false, true, null]);
    assert.equal(read(500, {}).shouldRetry, null);
  });

  test("reads how long to wait", () => {
    const wait = (headers: Record<string, string>): number | null => read(429, {}, headers).retryAfterMs;
    assert.equal(wait({ "retry-after": "2" }), 2000);
    assert.equal(wait({ "retry-after": "2", "retry-after-ms": "150.2" }), 151);
    assert.equal(wait({ "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT" }), 30_000);
    assert.equal(wait({ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }), 0);
    assert.equal(wait({ "retry-after": "soon" }), null);
    assert.equal(wait({}), null);
  });

  test("reads when the rate is reset from a 429 that does not say how long to wait", () => {
    const reset = { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m3s" };
    assert.equal(read(429, {}, reset).retryAfterMs, 63_000);
    assert.equal(read(429, {}, { ...reset, "retry-after-ms": "20" }).retryAfterMs, 20);
    assert.equal(read(503, {}, reset).retryAfterMs, null, "another status is not about the rate");
  });
});
