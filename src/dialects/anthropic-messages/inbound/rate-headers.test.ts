import assert from "node:assert/strict";
import { test } from "node:test";
import { pushRate } from "./rate-headers.ts";

test("a rate is told as Anthropic tells it, and is full again not before the time it names", () => {
  const headers: string[] = [];
  const wallMs = Date.UTC(2026, 0, 2, 3, 4, 5, 600);
  pushRate(headers, { meter: "requests", limit: 50n, remaining: 49n, resetMs: 1_200 }, wallMs);
  assert.deepEqual(headers, [
    "anthropic-ratelimit-requests-limit",
    "50",
    "anthropic-ratelimit-requests-remaining",
    "49",
    "anthropic-ratelimit-requests-reset",
    "2026-01-02T03:04:07Z",
  ]);
});
