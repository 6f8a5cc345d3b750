import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError, type ErrorCode, type ErrorOptions } from "../../kernel/errors.ts";
import { AnswerMemory, memoryFull } from "../../streaming/answer-memory.ts";
import { judge, type Verdict } from "./verdict.ts";

function verdict(code: ErrorCode, options: ErrorOptions = {}, message = "It failed."): Verdict {
  return judge(new HeadgateError(code, message, options));
}

test("failures that pass may be met again at the same target", () => {
  for (const code of ["upstream_unreachable", "upstream_failed", "upstream_overloaded", "stream_truncated"] as const) {
    assert.equal(verdict(code), "again", code);
    assert.equal(verdict(code, { shouldRetry: false }), "elsewhere", `${code}, where the provider says not to`);
  }
});

test("a target that stayed silent is not tried again", () => {
  for (const code of ["connect_timeout", "first_token_timeout", "idle_timeout", "total_timeout"] as const) {
    assert.equal(verdict(code), "elsewhere", code);
  }
});

test("the caller's own mistakes and the end of its time are final", () => {
  assert.equal(verdict("upstream_rejected", { status: 400 }), "final");
  assert.equal(verdict("upstream_rejected", { status: 422 }), "final");
  const filtered = { status: 400, upstream: { type: null, code: "content_filter" } };
  assert.equal(verdict("upstream_rejected", filtered), "final");
  for (const code of ["deadline_exceeded", "budget_exhausted", "rate_limited", "internal"] as const) {
    assert.equal(verdict(code), "final", code);
  }
});

test("a prompt that is too long needs a larger window, however the provider says so", () => {
  const code = { status: 400, upstream: { type: null, code: "context_length_exceeded" } };
  assert.equal(verdict("upstream_rejected", code), "larger");
  const said = "prompt is too long: 210000 tokens > 200000 maximum";
  assert.equal(verdict("upstream_rejected", { status: 400 }, said), "larger");
  assert.equal(verdict("upstream_rejected", { status: 422 }, said), "final");
});

test("an answer that is too large is asked of another target only", () => {
  assert.equal(verdict("upstream_too_large"), "elsewhere");
});

test("a target that is saturated may be left for another, the gateway's own memory may not", () => {
  assert.equal(verdict("overloaded", { retryAfterMs: 1_000 }), "elsewhere");
  assert.equal(judge(memoryFull(new AnswerMemory(1_000))), "final");
});

test("what is missing at one target may be there at another", () => {
  assert.equal(verdict("upstream_rejected", { status: 404 }), "elsewhere");
  for (const code of [
    "unsupported_parameter",
    "unpriced_model",
    "overloaded",
    "target_unavailable",
    "target_limited",
  ] as const) {
    assert.equal(verdict(code), "elsewhere", code);
  }
});

test("a provider that asks for a retry of what it refused gets one", () => {
  assert.equal(verdict("upstream_rejected", { status: 409, shouldRetry: true }), "again");
});

test("an allowance that is for some models only leaves others", () => {
  assert.equal(verdict("budget_exhausted", { allowance: "dear", retry: "other-target" }), "elsewhere");
  assert.equal(verdict("rate_limited", { allowance: "all" }), "final");
});
