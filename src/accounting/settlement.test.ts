import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyUsage, type Usage } from "../kernel/usage.ts";
import { createPriceBook } from "./price-book.ts";
import { createPriceCatalogue } from "./prices/catalogue.ts";
import { createPrice } from "./prices/rates.ts";
import { settle, type AttemptEnd, type Settlement } from "./settlement.ts";

/** A dollar per million tokens in, ten out: a token in costs 1,000 nano-dollars. */
const price = createPrice("test", { input: "1", output: "10" });

function usage(counts: Partial<Usage>): Usage {
  return { ...emptyUsage(), ...counts };
}

/** 400 bytes sent, so 100 tokens by our own count; nothing came back. */
function end(more: Partial<AttemptEnd> = {}, reading: Partial<AttemptEnd["reading"]> = {}): AttemptEnd {
  return {
    sent: true,
    refused: false,
    refusedByServer: false,
    answered: true,
    stopped: false,
    complete: false,
    drained: false,
    outputEvents: 0,
    body: Buffer.alloc(400, "a b "),
    billsCancelledInput: true,
    ...more,
    reading: { usage: null, usageIsDoubtful: false, serviceTier: null, finish: null, outputBytes: 0, ...reading },
  };
}

interface Row {
  readonly ended: string;
  readonly end: AttemptEnd;
  readonly usage: Partial<Usage>;
  readonly basis: Settlement["basis"];
  readonly flags?: Settlement["flags"];
}

const reported = { inputTokens: 70, cacheReadTokens: 20, outputTokens: 9, reasoningTokens: 4 };
const estimated = ["estimated"] as const;

const table: readonly Row[] = [
  { ended: "never sent", end: end({ sent: false }), usage: {}, basis: "none" },
  {
    ended: "failed by itself before it began to answer",
    end: end({ answered: false }),
    usage: {},
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "stopped by us before it began to answer",
    end: end({ answered: false, stopped: true }),
    usage: { inputTokens: 100 },
    basis: "metered",
    flags: estimated,
  },
  { ended: "refused for the caller's sake", end: end({ refused: true }), usage: {}, basis: "none" },
  {
    ended: "refused with a server error, after which the provider may have worked",
    end: end({ refused: true, refusedByServer: true }),
    usage: {},
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "refused with a server error inside a success",
    end: end({ refused: true, refusedByServer: true, answered: true, complete: true }),
    usage: {},
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "complete with usage",
    end: end({ complete: true }, { usage: usage(reported), finish: "stop", outputBytes: 999 }),
    usage: reported,
    basis: "reported",
  },
  {
    ended: "complete with usage but without a finish reason, as embeddings are",
    end: end({ complete: true }, { usage: usage({ inputTokens: 8 }) }),
    usage: { inputTokens: 8 },
    basis: "reported",
  },
  {
    ended: "complete without usage",
    end: end({ complete: true }, { finish: "stop", outputBytes: 41 }),
    usage: { inputTokens: 100, outputTokens: 11 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "complete with usage that has counts which are none",
    end: end({ complete: true }, { usage: usage({}), usageIsDoubtful: true, finish: "stop", outputBytes: 41 }),
    usage: { inputTokens: 100, outputTokens: 11 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "complete with usage of which a part can be read, and is more than our own count",
    end: end(
      { complete: true },
      {
        usage: usage({ cacheReadTokens: 30, outputTokens: 50 }),
        usageIsDoubtful: true,
        finish: "stop",
        outputBytes: 41,
      },
    ),
    usage: { inputTokens: 70, cacheReadTokens: 30, outputTokens: 50 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "complete with a report of zero, which is a report",
    end: end({ complete: true }, { usage: usage({}), finish: "stop", outputBytes: 41 }),
    usage: {},
    basis: "reported",
  },
  {
    ended: "drained to its usage after the caller left",
    end: end({ complete: true, drained: true }, { usage: usage(reported), finish: "stop", outputBytes: 9 }),
    usage: reported,
    basis: "drained",
  },
  {
    ended: "drained in vain: the time was up before the usage came",
    end: end({ drained: true }, { outputBytes: 40 }),
    usage: { inputTokens: 100, outputTokens: 10 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "cut off between usage and the end marker: the provider had finished",
    end: end({}, { usage: usage(reported), finish: "stop", outputBytes: 9 }),
    usage: reported,
    basis: "reported",
  },
  {
    ended: "cut off between finish reason and usage",
    end: end({ billsCancelledInput: false }, { finish: "stop", outputBytes: 8 }),
    usage: { inputTokens: 100, outputTokens: 2 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "broken or left in mid-stream",
    end: end({ billsCancelledInput: false }, { outputBytes: 40 }),
    usage: { inputTokens: 100, outputTokens: 10 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "broken after usage of the input was reported, more output seen than reported",
    end: end({}, { usage: usage({ inputTokens: 70, cacheReadTokens: 20, outputTokens: 1 }), outputBytes: 40 }),
    usage: { inputTokens: 70, cacheReadTokens: 20, outputTokens: 10 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "broken after more output was reported than seen",
    end: end({}, { usage: usage({ inputTokens: 70, outputTokens: 5, reasoningTokens: 30 }), outputBytes: 40 }),
    usage: { inputTokens: 70, outputTokens: 5, reasoningTokens: 30 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "left before any output, where the provider bills the input",
    end: end(),
    usage: { inputTokens: 100 },
    basis: "metered",
    flags: estimated,
  },
  {
    ended: "left before any output, where the provider does not",
    end: end({ billsCancelledInput: false }),
    usage: {},
    basis: "none",
  },
];

for (const row of table) {
  test(`${row.ended}: ${row.basis}`, () => {
    const settlement = settle(row.end, price);
    const expected = usage(row.usage);
    assert.deepEqual(settlement, {
      usage: expected,
      cost: price.cost(expected),
      priceVersion: "test",
      basis: row.basis,
      flags: row.flags ?? [],
    });
  });
}

test("an attempt of a model without a price costs zero and is flagged, unless nothing was billable", () => {
  const complete = settle(end({ complete: true }, { usage: usage(reported), finish: "stop" }), null);
  assert.deepEqual([complete.cost, complete.basis, complete.flags], [0n, "reported", ["unpriced"]]);
  assert.deepEqual(settle(end(), null).flags, ["unpriced", "estimated"]);
  assert.deepEqual(settle(end({ refused: true }), null).flags, []);
});

test("an attempt costs what the tier costs that served it, not the one that was asked for", () => {
  const flex = createPrice("test", { input: "2" }, (version, tier) =>
    tier === "flex" ? { version: `${version};flex`, rates: { input: "1" } } : null,
  ).servedAt("flex");
  const ended = (serviceTier: string | null) =>
    settle(end({ complete: true }, { usage: usage({ inputTokens: 7 }), serviceTier }), flex);
  assert.deepEqual([ended("default").cost, ended("default").priceVersion], [14_000n, "test"]);
  assert.deepEqual([ended("flex").cost, ended("flex").priceVersion], [7000n, "test;flex"]);
  assert.deepEqual([ended(null).cost, ended(null).priceVersion], [7000n, "test;flex"]);
});

test("what a stand-in prices costs its fixed amount once something was billable, and is flagged", () => {
  const providers = { p: { priceList: null, billing: "metered" } } as const;
  const prices = { overrides: {}, unknownModel: "hold", unknownModelHold: "0.05" } as const;
  const standIn = createPriceBook({ catalogue: createPriceCatalogue([]), prices, providers }).find("p", "m", null, 0);
  const complete = settle(end({ complete: true }, { usage: usage(reported), finish: "stop" }), standIn);
  assert.deepEqual(
    [complete.cost, complete.priceVersion, complete.basis, complete.flags],
    [50_000_000n, "hold:0.05", "reported", ["unpriced", "estimated"]],
  );
  const refused = settle(end({ refused: true }), standIn);
  assert.deepEqual([refused.cost, refused.basis, refused.flags], [0n, "none", []]);
});

test("a call that broke off before its answer costs nothing by our count, a price per request included", () => {
  const perRequest = createPrice("test", { input: "1", output: "10", request: "0.5" });
  const { cost, basis } = settle(end({ answered: false }), perRequest);
  assert.deepEqual([cost, basis], [0n, "metered"]);
});

test("settling does not change what was read", () => {
  const read = usage({ inputTokens: 1 });
  settle(end({}, { usage: read, outputBytes: 400 }), price);
  assert.deepEqual(read, usage({ inputTokens: 1 }));
});
