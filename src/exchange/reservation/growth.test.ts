import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPrice } from "../../accounting/prices/rates.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import { emptyUsage } from "../../kernel/usage.ts";
import type { Demand, Reservation } from "../../limits/limits.ts";
import type { Hold, HoldExtension } from "../../storage/records.ts";
import { holdingOf } from "./estimate.ts";
import { Growth } from "./growth.ts";

const SLICE = 100;
/** A token out costs 10 nano-dollars. */
const price = createPrice("test", { output: "0.01" });

interface Scene {
  readonly growth: Growth;
  readonly asked: Demand[];
  readonly extensions: HoldExtension[];
  readonly ends: HeadgateError[];
  /** `back` and `on`, in order. */
  readonly flow: string[];
}

function scene(extend: (more: Demand) => Promise<void> | null, worstTokens = 1000): Scene {
  const asked: Demand[] = [];
  const extensions: HoldExtension[] = [];
  const ends: HeadgateError[] = [];
  const flow: string[] = [];
  const holding = (outputTokens: number) => holdingOf({ ...emptyUsage(), outputTokens }, price);
  const first = holding(SLICE);
  const reservation: Reservation = {
    heldAmounts: [],
    growing: true,
    strict: false,
    requestRate: null,
    tokenRate: null,
    extend(more) {
      asked.push(more);
      return extend(more);
    },
    shrink: () => [],
    shrunk: () => undefined,
    settle: () => [],
    committed: () => undefined,
  };
  const growth = new Growth({
    reservation,
    hold: { attemptId: "att_1", heldUsage: first.usage, heldCostNanoUsd: first.costNanoUsd } as Hold,
    price,
    sliceTokens: SLICE,
    worst: holding(worstTokens),
    extended: (extension) => extensions.push(extension),
    stream: {
      holdBack: () => flow.push("back"),
      goOn: () => flow.push("on"),
      exhaust: (failure) => ends.push(failure),
    },
  });
  return { growth, asked, extensions, ends, flow };
}

describe("Growth", () => {
  test("asks for the next slice when half of the last one is used, and tells the journal", () => {
    const { growth, asked, extensions } = scene(() => null);
    growth.reached(49);
    assert.equal(asked.length, 0);
    growth.reached(50);
    assert.deepEqual(asked, [{ costNanoUsd: 1000n, tokens: 100 }]);
    assert.equal(extensions[0]?.heldUsage.outputTokens, 200);
    assert.equal(extensions[0]?.heldCostNanoUsd, 2000n);
    assert.equal(growth.dueTokens, 150);
  });

  test("holds no more than the attempt can use at all", () => {
    const { growth, asked, ends } = scene(() => null, 130);
    growth.reached(60);
    assert.deepEqual(asked, [{ costNanoUsd: 300n, tokens: 30 }]);
    assert.equal(growth.dueTokens, Infinity);
    growth.reached(5000);
    assert.equal(ends.length, 0);
  });

  test("after a refusal the stream uses what is held and ends with the refusal", () => {
    const refusal = new HeadgateError("budget_exhausted", "The budget is used up.");
    const { growth, ends, asked } = scene(() => {
      throw refusal;
    });
    growth.reached(50);
    growth.reached(99);
    assert.equal(ends.length, 0);
    growth.reached(100);
    assert.deepEqual(ends, [refusal]);
    growth.reached(101);
    assert.equal(ends.length, 1);
    assert.equal(asked.length, 1);
  });

  test("a provider that is faster than the store is not read until the store has answered", async () => {
    const answer = Promise.withResolvers<void>();
    const answers: (Promise<void> | null)[] = [answer.promise];
    const { growth, ends, flow, asked } = scene(() => answers.shift() ?? null);
    growth.reached(50);
    growth.reached(99);
    assert.deepEqual(flow, []);
    growth.reached(100);
    growth.reached(150);
    assert.deepEqual(flow, ["back"]);
    answer.resolve();
    await answer.promise;
    assert.deepEqual(flow, ["back", "on"]);
    assert.equal(asked.length, 2, "half of what was granted is used already");
    assert.deepEqual(ends, []);
  });

  test("what comes in one burst is asked for at once, and not ended if it is granted", () => {
    const { growth, asked, ends, flow } = scene(() => null);
    growth.reached(700);
    assert.deepEqual(asked, [{ costNanoUsd: 7000n, tokens: 700 }]);
    assert.deepEqual([ends.length, flow.length], [0, 0]);
  });

  test("where a slice is too much, smaller ones are asked for, and what they give is used", () => {
    const left = { tokens: 30 };
    const { growth, asked, ends } = scene(({ tokens }) => {
      if (tokens > left.tokens) throw new HeadgateError("budget_exhausted", "No.", { allowance: "pocket" });
      left.tokens -= tokens;
      return null;
    });
    growth.reached(50);
    assert.deepEqual(
      asked.map(({ tokens }) => tokens),
      [100, 50, 25],
    );
    growth.reached(110);
    assert.deepEqual(ends, []);
    growth.reached(130);
    assert.deepEqual(
      ends.map(({ allowance }) => allowance),
      ["pocket"],
    );
  });

  test("a refusal for which the provider was held back ends the stream if all that is held is used", async () => {
    const answer = Promise.withResolvers<void>();
    const { growth, ends, flow } = scene(() => answer.promise);
    growth.reached(50);
    growth.reached(120);
    answer.reject(new HeadgateError("budget_exhausted", "The budget is used up."));
    await assert.rejects(answer.promise);
    assert.deepEqual(flow, ["back", "on"]);
    assert.equal(ends[0]?.code, "budget_exhausted");
  });

  test("takes a slice that is granted late, and a refusal that comes late", async () => {
    const granted = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    const answers = [granted.promise, refused.promise];
    const { growth, extensions, ends } = scene(() => answers.shift() ?? null);
    growth.reached(50);
    granted.resolve();
    await granted.promise;
    assert.equal(extensions.length, 1);
    growth.reached(150);
    refused.reject(new HeadgateError("budget_exhausted", "The budget is used up."));
    await assert.rejects(refused.promise);
    growth.reached(200);
    assert.equal(ends[0]?.code, "budget_exhausted");
    assert.equal(extensions.length, 1);
  });

  test("a stream that is over takes nothing more and is not ended again", async () => {
    const late = Promise.withResolvers<void>();
    const { growth, extensions, ends } = scene(() => late.promise);
    growth.reached(50);
    growth.stop();
    late.resolve();
    await late.promise;
    growth.reached(900);
    assert.deepEqual([extensions.length, ends.length], [0, 0]);
  });
});
