import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { parseUsd } from "../../kernel/money.ts";
import { formatDecimal, formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

test("reads durations with a unit", () => {
  assert.equal(parseDuration("250ms"), 250);
  assert.equal(parseDuration("30s"), 30_000);
  assert.equal(parseDuration("1.5 m"), 90_000);
  assert.equal(parseDuration("2h"), 7_200_000);
});

test("tells powers of 1000 from powers of 1024", () => {
  assert.equal(parseSize("10MB"), 10_000_000);
  assert.equal(parseSize("10MiB"), 10_485_760);
  assert.equal(parseSize("64 kB"), 64_000);
  assert.equal(parseSize("64KiB"), 65_536);
});

test("refuses text without unit, with an unknown unit, or that is not a whole number of the base unit", () => {
  for (const text of ["30", "30 sec", "s", "-1s", "1.0005s", "1e3s", "", "30s "])
    assert.equal(parseDuration(text), null);
  for (const text of ["10", "10mb", "10KB", "0.5B", "9999999GiB", "MB"]) assert.equal(parseSize(text), null);
});

test("what it writes it reads back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (amount) => {
      assert.equal(parseDuration(formatDuration(amount)), amount);
      assert.equal(parseSize(formatSize(amount)), amount);
    }),
  );
});

test("writes numbers without an exponent, to the last digit", () => {
  assert.deepEqual([0, 1.5, 1e-6, 1e-9, 1.25e-7].map(formatDecimal), [
    "0",
    "1.5",
    "0.000001",
    "0.000000001",
    "0.000000125",
  ]);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 999_999_999_999_999n }), (nano) => {
      const digits = nano.toString().padStart(10, "0");
      const written = Number(`${digits.slice(0, -9)}.${digits.slice(-9)}`);
      assert.equal(parseUsd(formatDecimal(written)), nano);
    }),
  );
});
