import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import type { Meter } from "../allowance.ts";
import { decimalAmount, formatAmount, formatBareAmount } from "../amount-text.ts";
import { AMOUNT_MAX, checkAmount, parseAmount } from "./amounts.ts";

const meters: readonly Meter[] = ["money", "tokens", "requests", "slots"];

test("money is dollars, everything else counts, with k, M and G for thousands", () => {
  assert.equal(parseAmount("money", "100", "--money"), 100_000_000_000n);
  assert.equal(parseAmount("money", "0.000000001", "--money"), 1n);
  assert.equal(parseAmount("tokens", "1M", "--tokens"), 1_000_000n);
  assert.equal(parseAmount("tokens", "1.5k", "--tokens"), 1500n);
  assert.equal(parseAmount("requests", "2G", "--requests"), 2_000_000_000n);
  assert.equal(parseAmount("slots", "0", "--slots"), 0n);
  assert.equal(parseAmount("tokens", "3.0", "--tokens"), 3n);
});

const refused: readonly (readonly [Meter, string, RegExp])[] = [
  ["money", "", /^--limit has no amount\. Give dollars with at most nine decimals/],
  ["tokens", " ", /^--limit has no amount\. Give a whole number of tokens/],
  ["money", "-5", /^--limit cannot be negative: -5\. 0 admits nothing\./],
  ["slots", "-1", /^--limit cannot be negative: -1\./],
  [
    "money",
    "0.0000000001",
    /^--limit has more than nine decimals: 0\.0000000001\. The smallest amount is \$0\.000000001\./,
  ],
  ["money", "9223372036.854775808", /^--limit is too large\. The most is \$9223372036\.854775807\./],
  ["tokens", "9223372036854775808", /^--limit is too large\. The most is 9,223,372,036,854,775,807 tokens\./],
  ["tokens", "9223372037G", /^--limit is too large\./],
  ["tokens", "1".repeat(100), /^--limit is too large\./],
  ["money", "9".repeat(100), /^--limit is too large\./],
  ["tokens", "1.5", /^--limit must be a whole number of tokens, and 1\.5 is not\./],
  ["requests", "1.0005k", /^--limit must be a whole number of requests, and 1\.0005k is not\./],
  ["money", "$5", /^--limit must be dollars with at most nine decimals, such as 100 or 0\.5, not "\$5"\./],
  ["money", "1k", /^--limit must be dollars/],
  ["tokens", "1m", /^--limit must be a whole number of tokens, such as 60, 500k or 2M, not "1m"\./],
  ["tokens", "1e6", /^--limit must be a whole number/],
  ["tokens", "1,000", /^--limit must be a whole number/],
  ["tokens", "lots", /^--limit must be a whole number/],
  ["tokens", ".5", /^--limit must be a whole number/],
];

test("what is missing, negative, fractional, too fine, too large or no number is refused, each for its own reason", () => {
  for (const [meter, text, message] of refused) {
    assert.throws(
      () => parseAmount(meter, text, "--limit"),
      { code: "invalid_argument", param: "--limit", message },
      `${meter} ${text}`,
    );
  }
});

test("every amount that is printed for programs can be given back", () => {
  fc.assert(
    fc.property(fc.constantFrom(...meters), fc.bigInt({ min: 0n, max: AMOUNT_MAX }), (meter, amount) => {
      checkAmount(meter, amount, "limit");
      assert.equal(parseAmount(meter, decimalAmount(meter, amount), "limit"), amount);
    }),
  );
});

test("no text makes it fail in another way", () => {
  fc.assert(
    fc.property(fc.constantFrom(...meters), fc.string(), (meter, text) => {
      try {
        assert.ok(parseAmount(meter, text, "limit") >= 0n);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, "invalid_argument");
      }
    }),
  );
});

test("for people amounts have their unit, in tables they have none", () => {
  assert.equal(formatAmount("money", 12_500_000_000n), "$12.50");
  assert.equal(formatAmount("tokens", 1_234_567n), "1,234,567 tokens");
  assert.equal(formatAmount("slots", 1n), "1 slot");
  assert.equal(formatAmount("requests", -2n), "-2 requests");
  assert.equal(formatBareAmount("tokens", 1_234_567n), "1,234,567");
  assert.equal(formatBareAmount("money", 0n), "$0.00");
});
