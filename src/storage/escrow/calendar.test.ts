import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { type CalendarWindow, windowAt } from "./calendar.ts";

function span(window: CalendarWindow, timeZone: string, at: string): readonly string[] {
  const { startMs, endMs } = windowAt(window, timeZone, Date.parse(at));
  return [startMs, endMs].map((ms) => new Date(ms).toISOString().replace(":00.000Z", "Z"));
}

test("minutes and hours are those of UTC in every time zone", () => {
  for (const timeZone of ["UTC", "Asia/Kolkata", "Australia/Lord_Howe"]) {
    assert.deepEqual(span("minute", timeZone, "2026-03-29T01:59:30.5Z"), ["2026-03-29T01:59Z", "2026-03-29T02:00Z"]);
    assert.deepEqual(span("hour", timeZone, "2026-03-29T01:59:30.5Z"), ["2026-03-29T01:00Z", "2026-03-29T02:00Z"]);
  }
});

test("days begin at midnight of the time zone, and have 23 or 25 hours where clocks are changed", () => {
  assert.deepEqual(span("day", "Europe/Berlin", "2026-07-01T21:59:59Z"), ["2026-06-30T22:00Z", "2026-07-01T22:00Z"]);
  assert.deepEqual(span("day", "Europe/Berlin", "2026-03-29T12:00Z"), ["2026-03-28T23:00Z", "2026-03-29T22:00Z"]);
  assert.deepEqual(span("day", "Europe/Berlin", "2026-10-25T12:00Z"), ["2026-10-24T22:00Z", "2026-10-25T23:00Z"]);
});

test("a day whose midnight is skipped begins with its first instant", () => {
  assert.deepEqual(span("day", "Africa/Cairo", "2026-04-24T12:00Z"), ["2026-04-23T22:00Z", "2026-04-24T21:00Z"]);
});

test("weeks begin on Monday, months on the first", () => {
  assert.deepEqual(span("week", "UTC", "2026-11-22T23:59Z"), ["2026-11-16T00:00Z", "2026-11-23T00:00Z"]);
  assert.deepEqual(span("week", "UTC", "2026-11-23T00:00Z"), ["2026-11-23T00:00Z", "2026-11-30T00:00Z"]);
  assert.deepEqual(span("month", "America/New_York", "2026-12-01T04:59Z"), ["2026-11-01T04:00Z", "2026-12-01T05:00Z"]);
  assert.deepEqual(span("month", "UTC", "2028-02-29T12:00Z"), ["2028-02-01T00:00Z", "2028-03-01T00:00Z"]);
});

test("windows hold the instant they are asked for and follow each other without gap or overlap", () => {
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo"];
  const windows = ["minute", "hour", "day", "week", "month"] as const;
  const moment = fc.integer({ min: Date.UTC(1980, 0), max: Date.UTC(2100, 0) });
  fc.assert(
    fc.property(fc.constantFrom(...windows), fc.constantFrom(...zones), moment, (window, timeZone, atMs) => {
      const found = windowAt(window, timeZone, atMs);
      assert.ok(found.startMs <= atMs && atMs < found.endMs);
      assert.deepEqual(windowAt(window, timeZone, found.startMs), found);
      assert.deepEqual(windowAt(window, timeZone, found.endMs - 1), found);
      assert.equal(windowAt(window, timeZone, found.endMs).startMs, found.endMs);
      assert.equal(windowAt(window, timeZone, found.startMs - 1).endMs, found.startMs);
    }),
  );
});
