import assert from "node:assert/strict";
import { test } from "node:test";
import { anAllowance } from "../../../test/support/limits-world.ts";
import type { Allowance } from "../allowance.ts";
import { WindowCache } from "./window-cache.ts";

const day: Allowance = { ...anAllowance, window: "day", timeZone: "Europe/Berlin" };

test("a window is found once, until it ends", () => {
  const cache = new WindowCache();
  const noon = Date.UTC(2026, 10, 15, 11);
  const today = cache.windowOf(day, noon);
  assert.deepEqual(today, { startMs: Date.UTC(2026, 10, 14, 23), endMs: Date.UTC(2026, 10, 15, 23) });
  assert.equal(cache.windowOf(day, Date.UTC(2026, 10, 15, 23) - 1), today);
  assert.equal(cache.windowOf(day, Date.UTC(2026, 10, 15, 23)).startMs, today.endMs);
  assert.deepEqual(cache.windowOf(day, noon), today);
});

test("time zones and lengths have windows of their own", () => {
  const cache = new WindowCache();
  const atMs = Date.UTC(2026, 10, 15, 11);
  const starts = [day, { ...day, timeZone: "UTC" }, { ...day, window: "month" as const }].map(
    (allowance) => cache.windowOf(allowance, atMs).startMs,
  );
  assert.deepEqual(starts, [Date.UTC(2026, 10, 14, 23), Date.UTC(2026, 10, 15), Date.UTC(2026, 9, 31, 23)]);
});

test("rates, slots and lifetimes have none", () => {
  const cache = new WindowCache();
  for (const terms of [
    { meter: "requests", window: "minute" },
    { meter: "tokens", window: "hour" },
    { meter: "slots", window: "lifetime" },
    { meter: "money", window: "lifetime" },
  ] as const) {
    assert.deepEqual(cache.windowOf({ ...day, ...terms }, 5), { startMs: 0, endMs: null });
  }
  assert.equal(cache.windowOf({ ...day, meter: "money", window: "minute" }, 61_000).startMs, 60_000);
});
