import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError, type ErrorCode } from "../../kernel/errors.ts";
import { outcomeOf, type EndedCall } from "./outcome.ts";

const NOW_MS = 60_000;

interface Ended {
  readonly code: ErrorCode;
  readonly firstOutputAtMs?: number | null;
  readonly outputBytes?: number;
}

/** What a call that began at 0 and ended now says. */
function saidBy({ code, firstOutputAtMs = null, outputBytes = 0 }: Ended, more: Partial<EndedCall> = {}): string {
  const attempt = { state: "failed", startedAtMs: 0, firstOutputAtMs, reading: { outputBytes } } as const;
  const failure = new HeadgateError(code, "It ended.");
  const call = { open: { attempt }, failure, hasOtherCredential: false, wasSilentTooLong: () => false, ...more };
  return outcomeOf(call, NOW_MS).kind;
}

describe("a target is not to blame", () => {
  test("for a stream that it writes until timeouts.totalMs is over, nor for one beyond limits.responseBytes", () => {
    assert.equal(saidBy({ code: "total_timeout", firstOutputAtMs: 300, outputBytes: 9_000 }), "answered");
    assert.equal(saidBy({ code: "upstream_too_large", firstOutputAtMs: 300, outputBytes: 9_000 }), "answered");
  });

  test("for a whole answer that has begun then, or is too large", () => {
    assert.equal(saidBy({ code: "total_timeout", outputBytes: 9_000 }), "neutral");
    assert.equal(saidBy({ code: "upstream_too_large" }), "neutral");
  });

  test("for the caller's mistake, and for a credential where there is another", () => {
    assert.equal(saidBy({ code: "upstream_rejected" }), "neutral");
    assert.equal(saidBy({ code: "upstream_credentials" }, { hasOtherCredential: true }), "neutral");
    assert.equal(saidBy({ code: "upstream_rate_limited" }, { hasOtherCredential: true }), "neutral");
  });

  test("for a caller's deadline, unless it was silent for as long as answers take", () => {
    assert.equal(saidBy({ code: "deadline_exceeded" }), "neutral");
    assert.equal(saidBy({ code: "deadline_exceeded" }, { wasSilentTooLong: () => true }), "failed");
  });
});

test("a target has failed where it said nothing until timeouts.totalMs was over, fell silent, broke off or refused", () => {
  assert.equal(saidBy({ code: "total_timeout" }), "failed");
  assert.equal(saidBy({ code: "idle_timeout", firstOutputAtMs: 300 }), "failed");
  assert.equal(saidBy({ code: "stream_truncated", firstOutputAtMs: 300 }), "failed");
  assert.equal(saidBy({ code: "upstream_overloaded" }), "failed");
});

test("a call that was never made says nothing", () => {
  const failure = new HeadgateError("overloaded", "No room.");
  const call = { open: null, failure, hasOtherCredential: false, wasSilentTooLong: () => false };
  assert.equal(outcomeOf(call, NOW_MS).kind, "neutral");
});
