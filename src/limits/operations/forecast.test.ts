import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { forecast } from "./forecast.ts";

const HOUR_MS = 3_600_000;

test("half of the limit in a quarter of the window runs out at its half", () => {
  const course = { spent: 50n, limit: 100n, startMs: 1000, endMs: 5000 };
  assert.deepEqual(forecast(course, 2000), { spentAtEnd: 200n, runsOutAtMs: 3000 });
});

test("spending below the limit's pace does not run out within the window", () => {
  const course = { spent: 10n, limit: 100n, startMs: 0, endMs: 4000 };
  assert.deepEqual(forecast(course, 1000), { spentAtEnd: 40n, runsOutAtMs: null });
});

test("a limit that is reached or passed ran out in the past", () => {
  const course = { spent: 200n, limit: 100n, startMs: 0, endMs: 4000 };
  assert.deepEqual(forecast(course, 1000), { spentAtEnd: 800n, runsOutAtMs: 500 });
  assert.equal(forecast({ ...course, limit: 0n }, 1000).runsOutAtMs, 0);
});

test("without an end there is no amount, but still a time", () => {
  const course = { spent: 25n, limit: 100n, startMs: 0, endMs: null };
  assert.deepEqual(forecast(course, HOUR_MS), { spentAtEnd: null, runsOutAtMs: 4 * HOUR_MS });
  assert.equal(forecast({ ...course, spent: 1n, limit: 2n ** 63n - 1n }, HOUR_MS).runsOutAtMs, null);
});

test("nothing is foretold from the first fiftieth of a window, nor from the first hour of a lifetime", () => {
  const nothing = { spentAtEnd: null, runsOutAtMs: null };
  const course = { spent: 10n, limit: 100n, startMs: 1000, endMs: 6000 };
  for (const nowMs of [0, 1000, 1099]) assert.deepEqual(forecast(course, nowMs), nothing);
  assert.deepEqual(forecast(course, 1100), { spentAtEnd: 500n, runsOutAtMs: 2000 });
  assert.deepEqual(forecast({ ...course, startMs: 0, endMs: null }, HOUR_MS - 1), nothing);
});

test("nothing runs out where nothing is spent", () => {
  const course = { spent: 10n, limit: 100n, startMs: 1000, endMs: 5000 };
  assert.deepEqual(forecast({ ...course, spent: 0n }, 2000), { spentAtEnd: 0n, runsOutAtMs: null });
});

test("a window that is over was spent as it was", () => {
  const course = { spent: 70n, limit: 100n, startMs: 1000, endMs: 5000 };
  assert.deepEqual(forecast(course, 9000), { spentAtEnd: 70n, runsOutAtMs: null });
});

test("it runs out within the window exactly where more than the limit is foretold", () => {
  const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  const time = fc.integer({ min: 1, max: 31 * 86_400_000 });
  fc.assert(
    fc.property(amount, amount, time, time, (spent, limit, a, b) => {
      const [elapsedMs, endMs] = [Math.min(a, b), Math.max(a, b)];
      const { spentAtEnd, runsOutAtMs } = forecast({ spent, limit, startMs: 0, endMs }, elapsedMs);
      if (elapsedMs * 50 < endMs) return assert.equal(spentAtEnd, null);
      assert.ok(spentAtEnd !== null && spentAtEnd >= spent);
      if (spentAtEnd > limit) assert.ok(runsOutAtMs !== null && runsOutAtMs < endMs);
      else if (spentAtEnd < limit) assert.equal(runsOutAtMs, null);
    }),
    { examples: [[81n, 94n, 32, 27]] },
  );
});
