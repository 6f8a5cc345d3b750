import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { toNanoUsd } from "../kernel/money.ts";
import { emptyUsage, usageBuckets, type Usage } from "../kernel/usage.ts";
import type { LedgerEntry } from "../storage/records.ts";
import { nextCorrectionId, type ChargedAttempt } from "../storage/reports/charged-attempts.ts";
import type { Correction } from "../storage/reports/corrections.ts";
import type { Price, PriceBook } from "./price-book.ts";
import { createPrice } from "./prices/rates.ts";
import { rerate, type RerateOptions, type RerateReport } from "./rerate.ts";
import { correctionTriesMax, standingOf } from "./standing.ts";

const old = createPrice("old", { input: "1", output: "10" });
const now = createPrice("now", { input: "2", output: "20", request: "0.5" });
const nowMs = 9_000_000;
const live = new AbortController().signal;

function usage(counts: Partial<Usage>): Usage {
  return { ...emptyUsage(), ...counts };
}

function charge(id: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  const counted = more.usage ?? usage({ inputTokens: 100, outputTokens: 10 });
  return {
    entryId: id,
    kind: "charge",
    attemptId: id,
    requestId: `req_${id}`,
    atMs: 1_000_000,
    payer: { tenantId: "t", projectId: "pr", keyId: "k" },
    endUser: null,
    operation: "chat",
    provider: "p",
    credential: "default",
    modelAsked: "fast",
    modelTarget: "p/m",
    modelServed: "p/m-2026-01-01",
    providerRequestId: null,
    usage: counted,
    costNanoUsd: old.cost(counted),
    priceVersion: "old",
    basis: "reported",
    flags: [],
    ...more,
  };
}

/** A ledger in memory that is rated again by one price of today. */
class Ledger {
  readonly entries: LedgerEntry[];
  readonly asked: { model: string; tier: string | null; atMs: number }[] = [];
  /** What others do between reading and appending. */
  beforeAppend: () => void = () => {};
  readonly #price: Price | null;

  constructor(price: Price | null, ...charges: readonly LedgerEntry[]) {
    this.#price = price;
    this.entries = [...charges];
  }

  rerate(options: Partial<RerateOptions> = {}): Promise<RerateReport> {
    const prices: PriceBook = {
      find: (_, model, tier, atMs) => {
        this.asked.push({ model, tier, atMs });
        return this.#price;
      },
      findVersion: () => null,
    };
    const deps = {
      prices,
      store: {
        attempts: async (after: { readonly entryId: string } | null, limit: number) =>
          this.attempts()
            .filter(({ charge: { entryId } }) => after === null || entryId > after.entryId)
            .slice(0, limit),
        append: async (corrections: readonly Correction[]) => {
          this.beforeAppend();
          return corrections.filter((correction) => this.append(correction));
        },
        reread: async (attempts: readonly ChargedAttempt[]) => {
          const ids = attempts.map(({ charge: { entryId } }) => entryId);
          return this.attempts().filter(({ charge: { entryId } }) => ids.includes(entryId));
        },
      },
      wallMs: () => nowMs,
    };
    return rerate(deps, { unpricedOnly: false, dryRun: false, ...options }, live);
  }

  /** As the store does: false if the attempt has other corrections than it was read with. */
  append({ attempt, entry }: Correction): boolean {
    const entryId = nextCorrectionId(attempt);
    if (this.entries.some((each) => each.entryId === entryId)) return false;
    this.entries.push({ ...entry, entryId, kind: "correction" });
    return true;
  }

  attempts(): readonly ChargedAttempt[] {
    return this.entries
      .filter(({ kind }) => kind === "charge")
      .map((each) => ({
        charge: each,
        corrections: this.entries.filter(
          ({ kind, attemptId }) => kind === "correction" && attemptId === each.attemptId,
        ),
        startedAtMs: each.atMs - 500,
      }));
  }

  costOf(id: string): bigint {
    return this.entries
      .filter(({ attemptId }) => attemptId === id)
      .reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
  }
}

test("a charge and its correction together cost what the price of today says of the moment of the call", async () => {
  const ledger = new Ledger(now, charge("a"));
  const { rerated, changes } = await ledger.rerate();
  assert.equal(rerated, 1);
  assert.deepEqual(changes, [
    {
      model: "p/m",
      fromVersion: "old",
      toVersion: "now",
      attempts: 1,
      beforeNanoUsd: 200_000n,
      afterNanoUsd: 500_400_000n,
    },
  ]);
  assert.equal(ledger.costOf("a"), now.cost(charge("a").usage));
  const [, correction] = ledger.entries;
  assert.equal(correction?.entryId, "a.1");
  assert.equal(correction.priceVersion, "now (was old)");
  assert.deepEqual(
    [correction.usage, correction.basis, correction.atMs, correction.flags],
    [usage({}), "reported", nowMs, []],
  );
  assert.deepEqual(ledger.asked, [{ model: "m", tier: null, atMs: 999_500 }]);
});

test("doing it again changes nothing", async () => {
  const ledger = new Ledger(now, charge("a"), charge("b", { priceVersion: null, flags: ["unpriced"] }));
  await ledger.rerate();
  const again = await ledger.rerate();
  assert.deepEqual([again.examined, again.unchanged, again.rerated, again.changes], [2, 2, 0, []]);
  assert.equal(ledger.entries.length, 4);
});

test("a price that changes twice is corrected twice, each time from where it stood", async () => {
  const ledger = new Ledger(now, charge("a"));
  await ledger.rerate();
  const back = new Ledger(old, ...ledger.entries);
  await back.rerate();
  assert.equal(back.costOf("a"), old.cost(charge("a").usage));
  const last = back.entries.at(-1);
  assert.deepEqual([last?.entryId, last?.priceVersion], ["a.2", "old (was now)"]);
});

test("what had no price, or a stand-in's, gets one and is no longer counted as without", async () => {
  const unpriced = charge("a", { costNanoUsd: toNanoUsd(0n), priceVersion: null, flags: ["unpriced"] });
  const held = charge("b", {
    costNanoUsd: toNanoUsd(50_000_000n),
    priceVersion: "hold:0.05",
    flags: ["unpriced", "estimated"],
  });
  const ledger = new Ledger(now, unpriced, held);
  const { changes } = await ledger.rerate({ unpricedOnly: true });
  assert.deepEqual(
    changes.map(({ fromVersion }) => fromVersion),
    [null, "hold:0.05"],
  );
  const corrections = ledger.entries.filter(({ kind }) => kind === "correction");
  assert.deepEqual(
    corrections.map(({ flags, priceVersion }) => [flags, priceVersion]),
    [
      [["priced"], "now (was unpriced)"],
      [["priced"], "now (was hold:0.05)"],
    ],
  );
  assert.deepEqual([ledger.costOf("a"), ledger.costOf("b")], [now.cost(unpriced.usage), now.cost(held.usage)]);
});

test("only what had no price is touched where only that is wanted", async () => {
  const ledger = new Ledger(now, charge("a"));
  const report = await ledger.rerate({ unpricedOnly: true });
  assert.deepEqual([report.examined, report.unchanged, report.rerated], [1, 1, 0]);
});

test("a dry run says the same and appends nothing", async () => {
  const ledger = new Ledger(now, charge("a"));
  const told = await ledger.rerate({ dryRun: true });
  assert.equal(ledger.entries.length, 1);
  assert.deepEqual(told, await ledger.rerate());
});

test("a call that has no price today, or only a stand-in's, is left alone", async () => {
  const standIn: Price = { ...now, standIn: true };
  for (const price of [null, standIn]) {
    const ledger = new Ledger(price, charge("a"));
    const { unknown, rerated } = await ledger.rerate();
    assert.deepEqual([unknown, rerated, ledger.entries.length], [1, 0, 1]);
  }
});

test("a call at a service tier is rated at that tier again", async () => {
  const ledger = new Ledger(
    now,
    charge("a", { priceVersion: "old;standard-rates-for=flex" }),
    charge("b", { priceVersion: "old;service-tier=batch*1/2" }),
  );
  await ledger.rerate();
  assert.deepEqual(
    ledger.asked.map(({ tier }) => tier),
    ["flex", "batch"],
  );
});

test("a call that is charged as another model served it is rated as that one again", async () => {
  const ledger = new Ledger(now, charge("a", { priceVersion: "old;as-served" }));
  await ledger.rerate();
  assert.deepEqual(ledger.asked[0], { model: "m-2026-01-01", tier: null, atMs: ledger.asked[0]?.atMs });
  assert.equal(ledger.entries.at(-1)?.priceVersion, "now;as-served (was old;as-served)");
});

test("a worst case stays one, and what was not billed stays unbilled", async () => {
  const held = usage({ inputTokens: 1000, outputTokens: 50 });
  const killed = charge("a", { usage: held, costNanoUsd: old.worstCost(held), basis: "worst-case" });
  const failed = charge("b", { usage: usage({}), costNanoUsd: toNanoUsd(0n), basis: "metered" });
  const refused = charge("c", { usage: usage({}), costNanoUsd: toNanoUsd(0n), basis: "none" });
  const empty = charge("d", { usage: usage({}), costNanoUsd: toNanoUsd(0n), priceVersion: null, flags: ["unpriced"] });
  const ledger = new Ledger(now, killed, failed, refused, empty);
  await ledger.rerate();
  assert.equal(ledger.costOf("a"), now.worstCost(held));
  assert.deepEqual([ledger.costOf("b"), ledger.costOf("c")], [0n, 0n]);
  assert.equal(ledger.costOf("d"), now.cost(usage({})));
  assert.equal(ledger.entries.find(({ entryId }) => entryId === "a.1")?.basis, "worst-case");
});

test("a worst case at a dearer tier than the one asked for stays what it is, as long as the price does", async () => {
  const held = usage({ inputTokens: 1000, outputTokens: 50 });
  const costNanoUsd = toNanoUsd(2n * now.worstCost(held));
  const killed = charge("a", { usage: held, costNanoUsd, basis: "worst-case", priceVersion: now.version });
  const ledger = new Ledger(now, killed);
  const { unchanged } = await ledger.rerate();
  assert.deepEqual([unchanged, ledger.costOf("a")], [1, costNanoUsd]);
});

test("a pass goes through all pages, and adds up each target's change", async () => {
  const charges = Array.from({ length: 450 }, (_, index) => charge(String(index).padStart(4, "0")));
  const ledger = new Ledger(now, ...charges);
  const { examined, rerated, changes } = await ledger.rerate();
  assert.deepEqual([examined, rerated, changes.length, changes[0]?.attempts], [450, 450, 1, 450]);
});

/** Says that an attempt used these tokens, at no other cost. */
function confirm(ledger: Ledger, attempt: ChargedAttempt, used: Usage): void {
  const difference = usage({});
  for (const bucket of usageBuckets) difference[bucket] = used[bucket] - standingOf(attempt).usage[bucket];
  const entry = { ...attempt.charge, usage: difference, costNanoUsd: toNanoUsd(0n), basis: "reported" as const };
  assert.ok(ledger.append({ attempt, entry }));
}

test("an attempt that is confirmed while it is rated is rated from what it was confirmed as", async () => {
  const used = usage({ inputTokens: 3 });
  const ledger = new Ledger(now, charge("a", { basis: "metered" }), charge("b"));
  ledger.beforeAppend = () => {
    ledger.beforeAppend = () => {};
    for (const attempt of ledger.attempts().slice(0, 1)) confirm(ledger, attempt, used);
  };
  const { examined, rerated, overtaken, changes } = await ledger.rerate();
  assert.deepEqual([examined, rerated, overtaken, changes[0]?.attempts], [2, 2, 0, 2]);
  assert.deepEqual([ledger.costOf("a"), ledger.costOf("b")], [now.cost(used), now.cost(charge("b").usage)]);
  assert.equal(ledger.entries.findLast(({ attemptId }) => attemptId === "a")?.basis, "reported");
});

test("an attempt that somebody else has rated meanwhile is told as unchanged", async () => {
  const ledger = new Ledger(now, charge("a"));
  const [attempt] = ledger.attempts();
  assert.ok(attempt);
  const cost = toNanoUsd(now.cost(attempt.charge.usage) - attempt.charge.costNanoUsd);
  ledger.beforeAppend = () => {
    ledger.append({ attempt, entry: { ...attempt.charge, usage: usage({}), costNanoUsd: cost, priceVersion: "now" } });
  };
  const { unchanged, rerated, changes } = await ledger.rerate();
  assert.deepEqual([unchanged, rerated, changes, ledger.entries.length], [1, 0, [], 2]);
});

test("an attempt that others correct again and again is given up, and not told as rated", async () => {
  const ledger = new Ledger(now, charge("a", { basis: "metered" }));
  let tries = 0;
  ledger.beforeAppend = () => {
    tries++;
    for (const attempt of ledger.attempts()) confirm(ledger, attempt, usage({ inputTokens: tries }));
  };
  const { examined, rerated, overtaken, changes } = await ledger.rerate();
  assert.deepEqual([examined, rerated, overtaken, changes, tries], [1, 0, 1, [], correctionTriesMax]);
});

test("an aborted pass rejects before it reads on", async () => {
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  const deps = {
    prices: { find: () => null, findVersion: () => null },
    store: { attempts: async () => assert.fail("read"), append: async () => [], reread: async () => [] },
    wallMs: () => nowMs,
  };
  await assert.rejects(rerate(deps, { unpricedOnly: false, dryRun: false }, controller.signal), /enough/);
});

test("whatever prices follow each other, an attempt's entries add up to the last one's cost", async () => {
  const rate = fc.integer({ min: 0, max: 5000 }).map((cents) => (cents / 100).toFixed(2));
  const counts = fc.record({ inputTokens: fc.nat(100_000), outputTokens: fc.nat(10_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(rate, rate), { minLength: 1, maxLength: 4 }), counts, async (prices, used) => {
      let entries: readonly LedgerEntry[] = [charge("a", { usage: usage(used) })];
      for (const [index, [input, output]] of prices.entries()) {
        const price = createPrice(`v${index}`, { input, output });
        const ledger = new Ledger(price, ...entries);
        await ledger.rerate();
        entries = ledger.entries;
        assert.equal(ledger.costOf("a"), price.cost(usage(used)));
        const [attempt] = ledger.attempts();
        assert.ok(attempt);
        assert.deepEqual(standingOf(attempt).usage, usage(used));
      }
    }),
    { numRuns: 50 },
  );
});
