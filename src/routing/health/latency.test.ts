import assert from "node:assert/strict";
import { test } from "node:test";
import { Latency } from "./latency.ts";

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= expected * 0.02, `${actual} instead of ${expected}`);
}

test("nothing under way and nothing known is no load; unknown ones are compared by their calls under way", () => {
  const latency = new Latency();
  assert.deepEqual([latency.load(0, 5), latency.load(2, 5) < latency.load(3, 5)], [0, true]);
});

test("load is latency times the calls under way and one more", () => {
  const latency = new Latency();
  latency.firstOutput(300, 0);
  assert.deepEqual([latency.load(1, 0), latency.load(4, 0)], [600, 1_500]);
});

test("jumps to a slower call at once, and comes down within tens of seconds", () => {
  const latency = new Latency();
  for (let call = 0; call < 100; call++) latency.firstOutput(300, call * 100);
  latency.firstOutput(3_000, 10_000);
  assert.equal(latency.load(1, 10_000) / 2, 3_000);
  for (let call = 1; call <= 100; call++) latency.firstOutput(300, 10_000 + call * 100);
  assertNear(latency.load(1, 20_000) / 2, 300 + 2_700 / Math.E);
});

test("the beginning of streams counts, however long whole answers take", () => {
  const latency = new Latency();
  latency.whole(20_000, 0);
  assert.equal(latency.load(1, 0), 40_000);
  latency.firstOutput(500, 0);
  latency.whole(30_000, 0);
  assert.equal(latency.load(1, 0), 1_000);
});

test("a call that failed makes the target look slower, not quicker", () => {
  const latency = new Latency();
  latency.refused(0);
  assert.ok(latency.load(1, 0) > 1_000);
  const known = new Latency();
  known.firstOutput(400, 0);
  known.refused(0);
  known.refused(0);
  assert.equal(known.load(1, 0), 3_200);
  for (let failed = 0; failed < 1_000; failed++) known.refused(0);
  assert.ok(known.load(1, 0) <= 7_200_000);
});

test("an idle target is forgiven with time, one with calls under way is not", () => {
  const latency = new Latency();
  latency.firstOutput(8_000, 0);
  latency.idle(1_000);
  assert.equal(latency.load(1, 100_000), 16_000);
  assertNear(latency.load(0, 11_000), 8_000 / Math.E);
  assert.ok(latency.load(0, 100_000) < 1);
});
