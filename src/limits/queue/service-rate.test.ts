import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceRate } from "./service-rate.ts";

/** Serves calls of cost 50, one every 100 ms, from `fromMs` on. */
function serve(rate: ServiceRate, fromMs: number, count: number): number {
  for (let served = 1; served <= count; served++) rate.served(50, fromMs + served * 100);
  return fromMs + count * 100;
}

function assertNear(actual: number | null, expected: number): void {
  assert.ok(actual !== null && Math.abs(actual - expected) < expected / 100, `${actual} instead of ${expected}`);
}

test("knows nothing before the first call has ended", () => {
  const rate = new ServiceRate();
  rate.begin(5_000);
  assert.equal(rate.waitMs(0, 6_000), null);
});

test("tells the wait from what is ahead and the time between two slots", () => {
  const rate = new ServiceRate();
  rate.begin(5_000);
  const nowMs = serve(rate, 5_000, 100);
  assertNear(rate.waitMs(0, nowMs), 100);
  assertNear(rate.waitMs(1_000, nowMs), 2_100);
});

test("leaves out the time in which the target was not saturated", () => {
  const rate = new ServiceRate();
  rate.begin(0);
  const nowMs = serve(rate, 0, 100);
  rate.begin(nowMs + 30_000);
  assertNear(rate.waitMs(1_000, nowMs + 30_000), 2_100);
});

test("follows a target that becomes slower", () => {
  const rate = new ServiceRate();
  rate.begin(0);
  let nowMs = serve(rate, 0, 600);
  for (let served = 0; served < 60; served++) rate.served(50, (nowMs += 1_000));
  const waitMs = rate.waitMs(0, nowMs);
  assert.ok(waitMs !== null && waitMs > 500 && waitMs < 1_000, String(waitMs));
});

test("sees that nothing ends any more", () => {
  const rate = new ServiceRate();
  rate.begin(0);
  const nowMs = serve(rate, 0, 600);
  const waits = [0, 15_000, 30_000].map((stalledMs) => rate.waitMs(0, nowMs + stalledMs) ?? 0);
  assertNear(waits[0]!, 100);
  assert.ok(waits[1]! > 2 * waits[0]! && waits[2]! > 2 * waits[1]!, String(waits));
});

test("forgets what it knew when it is hours old", () => {
  const rate = new ServiceRate();
  rate.begin(0);
  const nowMs = serve(rate, 0, 100);
  rate.begin(nowMs + 600_000);
  assert.equal(rate.waitMs(1_000, nowMs + 600_000), null);
});
