import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { createPrice } from "../../accounting/prices/rates.ts";
import { emptyUsage } from "../../kernel/usage.ts";
import type { Allowance, EstimatePolicy, Meter } from "../../limits/allowance.ts";
import { affordableOutput } from "./clamp.ts";
import { holdingOf } from "./estimate.ts";

/** A token in costs 3 nano-dollars, one out 7. */
const price = createPrice("test", { input: "0.003", output: "0.007" });

function verdict(meter: Meter, available: bigint, admitted = false, policy: EstimatePolicy = "expected") {
  return { allowance: { meter, policy } as Allowance, hold: 0n, available, admitted };
}

const whole = holdingOf({ ...emptyUsage(), inputTokens: 1000, outputTokens: 50_000 }, price);
const view = { choices: 1, serviceTier: null };
const estimate = { whole, worst: whole, answersAtWorst: 1 };

describe("affordableOutput", () => {
  test("is the longest answer that the money pays for, and one token more is too much", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 3_200n, max: 360_000n }), (available) => {
        const bound = affordableOutput([verdict("money", available)], estimate, price, view);
        assert.ok(bound !== null);
        const cost = (outputTokens: number) => holdingOf({ ...whole.usage, outputTokens }, price).costNanoUsd;
        assert.ok(cost(bound) <= available);
        assert.ok(bound === 50_000 || cost(bound + 1) > available);
      }),
    );
  });

  test("fits every allowance that refused, and looks past those that admit", () => {
    const verdicts = [verdict("money", 0n, true), verdict("tokens", 1500n), verdict("money", 100_000n)];
    assert.equal(affordableOutput(verdicts, estimate, price, view), 500);
  });

  test("is divided over the answers asked for", () => {
    assert.equal(affordableOutput([verdict("tokens", 1500n)], estimate, price, { ...view, choices: 4 }), 125);
  });

  test("is what the worst case leaves of an allowance that holds it, with its further answers", () => {
    const most = holdingOf({ ...emptyUsage(), inputTokens: 9000, outputTokens: 100_000 }, price);
    const larger = { whole, worst: most, answersAtWorst: 2 };
    assert.equal(affordableOutput([verdict("tokens", 11_000n, false, "strict")], larger, price, view), 1000);
    assert.equal(affordableOutput([verdict("tokens", 11_000n)], larger, price, view), 10_000);
  });

  test("is paid for at the dearest tier that it may be served at, where the worst case is held", () => {
    const tiered = createPrice("test", price.rates, (_, tier) =>
      tier === "priority" ? { version: "priority", rates: { input: "0.006", output: "0.014" } } : null,
    );
    const boundOf = (policy: EstimatePolicy, serviceTier: string | null) =>
      affordableOutput([verdict("money", 20_000n, false, policy)], estimate, tiered, { ...view, serviceTier });
    assert.equal(boundOf("strict", null), 1000);
    assert.equal(boundOf("strict", "default"), 2428);
    assert.equal(boundOf("expected", null), 2428);
  });

  test("there is none where the input alone is too much, where only a few tokens are left, or where length does not matter", () => {
    assert.equal(affordableOutput([verdict("money", 2_999n)], estimate, price, view), null);
    assert.equal(affordableOutput([verdict("tokens", 1_015n)], estimate, price, view), null);
    assert.equal(affordableOutput([verdict("requests", 0n)], estimate, price, view), null);
  });
});
