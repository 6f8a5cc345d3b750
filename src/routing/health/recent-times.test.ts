import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { RecentTimes } from "./recent-times.ts";

const BUCKET_GROWTH = 2 ** (1 / 6.5);

function addAll(times: RecentTimes, values: readonly number[], nowMs: number): void {
  for (const value of values) times.add(value, nowMs);
}

test("nineteen calls are too few to tell", () => {
  const times = new RecentTimes();
  addAll(
    times,
    Array.from({ length: 4 }, () => 100),
    0,
  );
  assert.equal(times.slowMs(0), null);
  times.add(100, 0);
  assert.ok(times.slowMs(0) !== null);
});

test("tells the 95th percentile, and at the most a ninth too much", () => {
  const value = fc.double({ min: 1, max: 1_700_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 20, maxLength: 100 }), (values) => {
      const times = new RecentTimes();
      addAll(times, values, 0);
      const exact = values.toSorted((one, other) => other - one)[Math.floor(values.length / 20)]!;
      const told = times.slowMs(0)!;
      assert.ok(told >= exact * 0.999999 && told <= exact * BUCKET_GROWTH * 1.000001, `${told} for ${exact}`);
    }),
  );
});

test("knows the slowest, which may be slower than the 95th percentile", () => {
  const times = new RecentTimes();
  addAll(times, [...Array.from({ length: 98 }, () => 1_000), 20_000, 30_000], 0);
  const slowest = times.slowestMs(0)!;
  assert.ok(slowest >= 30_000 && slowest <= 30_000 * BUCKET_GROWTH, String(slowest));
  assert.ok((times.slowMs(0) ?? Infinity) < 1_200);
  assert.equal(new RecentTimes().slowestMs(0), null);
});

test("takes times of any size, and none that is no number, without losing count", () => {
  const times = new RecentTimes();
  addAll(times, [-1, 0, 0.2, Number.NaN, 1e12, Infinity, ...Array.from({ length: 94 }, () => 50)], 0);
  const told = times.slowMs(0)!;
  assert.ok(told >= 50 && told <= 50 * BUCKET_GROWTH, String(told));
});

test("follows a target that becomes slower within a few calls, and one that becomes faster within two minutes", () => {
  const times = new RecentTimes();
  let nowMs = 0;
  const run = (count: number, tookMs: number): number => {
    for (let call = 0; call < count; call++) times.add(tookMs, (nowMs += 500));
    return times.slowMs(nowMs)!;
  };
  assert.ok(run(200, 400) < 450);
  assert.ok(run(20, 4_000) >= 4_000);
  assert.ok(run(360, 400) < 450);
});

test("keeps what it knows of a target with few calls, and forgets it after an hour without any", () => {
  const times = new RecentTimes();
  for (let call = 0; call < 30; call++) times.add(300, call * 600_000);
  const lastMs = 29 * 600_000;
  assert.ok(times.slowMs(lastMs + 3_600_000) !== null);
  assert.equal(times.slowMs(lastMs + 3_600_001), null);
});

test("calls that are given up when they are slow do not make slow calls look rare", () => {
  const times = new RecentTimes();
  addAll(
    times,
    Array.from({ length: 95 }, () => 100),
    0,
  );
  addAll(
    times,
    Array.from({ length: 5 }, () => 1_000),
    0,
  );
  const honestMs = times.slowMs(0)!;
  for (let call = 0; call < 2_000; call++) {
    // One of ten takes a second, and is given up when it is slower than 95 of 100.
    const tookMs = call % 10 === 0 ? 1_000 : 100;
    const slowMs = times.slowMs(call * 1_000)!;
    if (tookMs > slowMs) times.addGivenUp(slowMs, call * 1_000);
    else times.add(tookMs, call * 1_000);
  }
  assert.ok(times.slowMs(2_000_000)! >= honestMs / BUCKET_GROWTH, String(times.slowMs(2_000_000)));
});

test("a call that is given up early says nothing", () => {
  const times = new RecentTimes();
  addAll(
    times,
    Array.from({ length: 20 }, () => 1_000),
    0,
  );
  for (let call = 0; call < 1_000; call++) times.addGivenUp(10, 0);
  assert.ok(times.slowMs(0)! >= 1_000);
});
