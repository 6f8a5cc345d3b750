import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { toNanoUsd } from "../../kernel/money.ts";
import { renderCsv } from "./csv.ts";
import { inTheFuture, inThePast, parseDistanceMs, parseMoment } from "./moment.ts";
import { decimalUsd } from "./money-text.ts";
import { parseStatusRange } from "./status.ts";
import { formatMicroseconds } from "./time-text.ts";

const DAY_MS = 86_400_000;

test("a duration counts from now, backwards or forwards", () => {
  const week = parseMoment("7d");
  assert.ok(week);
  assert.equal(inThePast(week, 10 * DAY_MS), 3 * DAY_MS);
  assert.equal(inTheFuture(week, 10 * DAY_MS), 17 * DAY_MS);
  assert.equal(parseDistanceMs("90m"), 90 * 60_000);
});

test("a date is midnight in UTC, a time is exact, and neither depends on now", () => {
  const at = (text: string): number => {
    const moment = parseMoment(text);
    assert.ok(moment, text);
    assert.equal(inThePast(moment, 0), inTheFuture(moment, 1e12));
    return inThePast(moment, 0);
  };
  assert.equal(at("2026-11-01"), Date.UTC(2026, 10, 1));
  assert.equal(at("2026-11-01T12:30Z"), Date.UTC(2026, 10, 1, 12, 30));
  assert.equal(at("2026-11-01T12:30:05+02:00"), Date.UTC(2026, 10, 1, 10, 30, 5));
});

test("what is neither a duration nor a date that exists is refused", () => {
  for (const text of [
    "",
    "7",
    "d",
    "-7d",
    "7 d",
    "0d",
    "1.5h",
    "999999w",
    "2026-02-30",
    "2026-13-01",
    "01.11.2026",
    "now",
  ]) {
    assert.equal(parseMoment(text), undefined, text);
  }
});

test("every ISO time that is printed can be given back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_799_999 }), (ms) => {
      assert.deepEqual(parseMoment(new Date(ms).toISOString()), { kind: "at", ms });
    }),
  );
});

test("a status is one, or a class of a hundred", () => {
  assert.deepEqual(parseStatusRange("429"), { min: 429, max: 429 });
  assert.deepEqual(parseStatusRange("5xx"), { min: 500, max: 599 });
  for (const text of ["", "5x", "6xx", "99", "1000", "4 29"]) assert.equal(parseStatusRange(text), undefined, text);
});

test("money in JSON is decimal text with every nano-dollar", () => {
  assert.equal(decimalUsd(toNanoUsd(1_000_000_001n)), "1.000000001");
  assert.equal(decimalUsd(toNanoUsd(-500_000_000n)), "-0.50");
});

test("CSV keeps commas, quotes and line ends inside a field, and takes the force out of formulas", () => {
  assert.equal(renderCsv([["a,b", 'say "hi"', "two\nlines", 3]]), '"a,b","say ""hi""","two\nlines",3\n');
  assert.equal(renderCsv([["=1+1", "-0.50", "-x", "@y"]]), "'=1+1,-0.50,'-x,'@y\n");
});

test("durations are shown in the unit a person would choose", () => {
  assert.equal(formatMicroseconds(null), "-");
  assert.equal(formatMicroseconds(300), "300 µs");
  assert.equal(formatMicroseconds(1_234), "1.2 ms");
  assert.equal(formatMicroseconds(213_000), "213 ms");
  assert.equal(formatMicroseconds(1_100_000), "1.10 s");
});
