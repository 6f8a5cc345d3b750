import assert from "node:assert/strict";
import { test } from "node:test";
import { toNanoUsd } from "../kernel/money.ts";
import { addUsage, emptyUsage, type Usage } from "../kernel/usage.ts";
import type { LedgerEntry } from "../storage/records.ts";
import { nextCorrectionId, type ChargedAttempt } from "../storage/reports/charged-attempts.ts";
import type { Correction, CorrectionEntry } from "../storage/reports/corrections.ts";
import type { PriceBook } from "./price-book.ts";
import { createPrice } from "./prices/rates.ts";
import { correctionFor, reconcileProvider, type LookupAnswer, type ReconcileDeps } from "./reconcile.ts";
import { correctionTriesMax, standingOf } from "./standing.ts";

const price = createPrice("test", { input: "1", cacheRead: "0.1", output: "10", request: "0.000001" });
const dearer = createPrice("dearer", { input: "2", output: "20" });
const prices: PriceBook = {
  find: (_, model) => (model === "m" ? price : null),
  findVersion: (version) => (version === dearer.version ? dearer : null),
};
const provider = { name: "p", acceptsClientRequestId: true, absentAfterMs: 60_000 };
const settledAtMs = 1_000_000;

function usage(counts: Partial<Usage>): Usage {
  return { ...emptyUsage(), ...counts };
}

function charge(attemptId: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  const counted = more.usage ?? usage({ inputTokens: 100, outputTokens: 10 });
  return {
    entryId: attemptId,
    kind: "charge",
    attemptId,
    requestId: "req_1",
    atMs: settledAtMs,
    payer: { tenantId: "t", projectId: "pr", keyId: "k" },
    endUser: null,
    operation: "chat",
    provider: "p",
    credential: "default",
    modelAsked: "fast",
    modelTarget: "p/m",
    modelServed: "p/m",
    providerRequestId: null,
    usage: counted,
    costNanoUsd: price.cost(counted),
    priceVersion: "test",
    basis: "metered",
    flags: ["estimated"],
    ...more,
  };
}

function attemptOf(entry: LedgerEntry, ledger: ReadonlyMap<string, LedgerEntry>): ChargedAttempt {
  const corrections = [...ledger.values()].filter(
    ({ kind, attemptId }) => kind === "correction" && attemptId === entry.attemptId,
  );
  return { charge: entry, corrections, startedAtMs: entry.atMs };
}

/** As the store does: false if the attempt has other corrections than it was read with. */
function append(ledger: Map<string, LedgerEntry>, { attempt, entry }: Correction): boolean {
  const entryId = nextCorrectionId(attempt);
  if (ledger.has(entryId)) return false;
  ledger.set(entryId, { ...entry, entryId, kind: "correction" });
  return true;
}

/** A ledger in memory, and a provider that answers by call id. */
function setUp(
  charges: readonly LedgerEntry[],
  answers: Readonly<Record<string, LookupAnswer | Error>>,
  nowMs = settledAtMs,
) {
  const ledger = new Map(charges.map((entry) => [entry.entryId, entry]));
  const asked: string[] = [];
  const failures: unknown[] = [];
  const deps: ReconcileDeps = {
    prices,
    store: {
      async unreconciled({ provider: name, after, limit }) {
        return [...ledger.values()]
          .filter((e) => e.kind === "charge" && e.provider === name)
          .filter((e) => after === null || e.entryId > after)
          .sort((a, b) => (a.entryId < b.entryId ? -1 : 1))
          .map((e) => attemptOf(e, ledger))
          .filter(({ corrections }) => !corrections.some(({ basis }) => basis === "reported"))
          .slice(0, limit);
      },
      append: async (correction) => append(ledger, correction),
      reread: async (attempt) => attemptOf(attempt.charge, ledger),
    },
    async lookup(_, id) {
      asked.push(id);
      const answer = answers[id] ?? { kind: "absent" };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    lookupFailed: (_, reason) => failures.push(reason),
    wallMs: () => nowMs,
  };
  return { deps, ledger, asked, failures };
}

const live = new AbortController().signal;

function totals(ledger: ReadonlyMap<string, LedgerEntry>, attemptId: string) {
  const sum = emptyUsage();
  let cost = 0n;
  for (const entry of ledger.values()) {
    if (entry.attemptId !== attemptId) continue;
    addUsage(sum, entry.usage);
    cost += entry.costNanoUsd;
  }
  return { usage: sum, cost };
}

test("charge and correction together are exactly what the provider says", async () => {
  const used = usage({ inputTokens: 40, cacheReadTokens: 77, outputTokens: 3 });
  const { deps, ledger } = setUp([charge("a")], { a: { kind: "found", usage: used } });
  const report = await reconcileProvider(deps, provider, live);
  assert.equal(report.corrected, 1);
  assert.deepEqual(totals(ledger, "a"), { usage: used, cost: price.cost(used) });
  const correction = ledger.get("a.1");
  assert.equal(correction?.kind, "correction");
  assert.equal(correction.basis, "reported");
  assert.equal(correction.usage.inputTokens, -60);
  assert.deepEqual(correction.flags, []);
});

test("a second pass asks for nothing and changes nothing, also where the first confirmed the figure", async () => {
  const entry = charge("a");
  const { deps, ledger, asked } = setUp([entry], { a: { kind: "found", usage: entry.usage } });
  await reconcileProvider(deps, provider, live);
  assert.equal(ledger.get("a.1")?.costNanoUsd, 0n);
  const again = await reconcileProvider(deps, provider, live);
  assert.deepEqual(again, { corrected: 0, pending: 0, unknown: 0, overtaken: 0, failed: 0 });
  assert.deepEqual(asked, ["a"]);
  assert.equal(ledger.size, 2);
});

test("a call the provider never saw is taken back whole, once its record has had time to appear", async () => {
  const young = setUp([charge("a")], {}, settledAtMs + 59_999);
  assert.equal((await reconcileProvider(young.deps, provider, live)).pending, 1);
  assert.equal(young.ledger.size, 1);
  const old = setUp([charge("a")], {}, settledAtMs + 60_000);
  assert.equal((await reconcileProvider(old.deps, provider, live)).corrected, 1);
  assert.deepEqual(totals(old.ledger, "a"), { usage: emptyUsage(), cost: 0n });
});

test("a call that is still running is asked for again later, however old its charge", async () => {
  const { deps, ledger } = setUp([charge("a")], { a: { kind: "pending" } }, settledAtMs + 1e9);
  assert.equal((await reconcileProvider(deps, provider, live)).pending, 1);
  assert.equal(ledger.size, 1);
});

test("a provider that knows only its own ids is asked by those, and not finding one proves nothing", async () => {
  const own = { ...provider, acceptsClientRequestId: false };
  const charges = [charge("a", { providerRequestId: "gen-1" }), charge("b")];
  const { deps, asked, ledger } = setUp(charges, {}, settledAtMs + 1e9);
  assert.deepEqual(await reconcileProvider(deps, own, live), {
    corrected: 0,
    pending: 1,
    unknown: 1,
    overtaken: 0,
    failed: 0,
  });
  assert.deepEqual(asked, ["gen-1"]);
  assert.equal(ledger.size, 2);
});

test("a pass goes through all pages, and only through the provider's own charges", async () => {
  const charges = Array.from({ length: 100 }, (_, index) => charge(`a${String(index).padStart(3, "0")}`));
  const answers = Object.fromEntries(
    charges.map(({ attemptId }) => [attemptId, { kind: "found", usage: usage({}) } as const]),
  );
  const { deps, ledger } = setUp([...charges, charge("other", { provider: "q" })], answers);
  assert.equal((await reconcileProvider(deps, provider, live)).corrected, 100);
  assert.equal(ledger.size, 201);
});

test("a provider that cannot be asked ends the pass after the page, and the reason is told", async () => {
  const charges = Array.from({ length: 100 }, (_, index) => charge(`a${String(index).padStart(3, "0")}`));
  const { deps, asked, failures } = setUp(charges, { a005: new Error("no route") });
  const report = await reconcileProvider(deps, provider, live);
  assert.equal(report.failed, 1);
  assert.equal(asked.length, 32);
  assert.match(String(failures[0]), /no route/);
});

test("an aborted pass rejects with the reason and tells of no failure", async () => {
  const controller = new AbortController();
  const { deps, failures } = setUp([charge("a")], { a: new Error("aborted on the way") });
  const reason = new Error("shutdown");
  const pass = reconcileProvider(deps, provider, controller.signal);
  controller.abort(reason);
  await assert.rejects(pass, reason);
  assert.deepEqual(failures, []);
});

test("a correction is rated as its charge was, though another price holds now", async () => {
  const entry = charge("a", {
    priceVersion: dearer.version,
    costNanoUsd: dearer.cost(usage({ inputTokens: 100, outputTokens: 10 })),
  });
  const used = usage({ inputTokens: 1 });
  const { deps, ledger } = setUp([entry], { a: { kind: "found", usage: used } });
  await reconcileProvider(deps, provider, live);
  assert.equal(totals(ledger, "a").cost, dearer.cost(used));
  assert.equal(ledger.get("a.1")?.priceVersion, dearer.version);
});

test("an attempt that is re-rated while the provider is asked is corrected from what it stands at then", async () => {
  const entry = charge("a");
  const used = usage({ inputTokens: 3, outputTokens: 1 });
  const { deps, ledger } = setUp([entry], {});
  const lookup = async (): Promise<LookupAnswer> => {
    append(ledger, rerated(attemptOf(entry, ledger)));
    return { kind: "found", usage: used };
  };
  const report = await reconcileProvider({ ...deps, lookup }, provider, live);
  assert.deepEqual(report, { corrected: 1, pending: 0, unknown: 0, overtaken: 0, failed: 0 });
  assert.deepEqual([...ledger.keys()], ["a", "a.1", "a.2"]);
  assert.deepEqual(totals(ledger, "a"), { usage: used, cost: dearer.cost(used) });
  assert.deepEqual(
    [...ledger.values()].map(({ basis }) => basis),
    ["metered", "metered", "reported"],
  );
});

test("an attempt that another pass has confirmed while the provider was asked is left as that left it", async () => {
  const entry = charge("a");
  const used = usage({ inputTokens: 3 });
  const { deps, ledger } = setUp([entry], {});
  const lookup = async (): Promise<LookupAnswer> => {
    const attempt = attemptOf(entry, ledger);
    append(ledger, { attempt, entry: correctionFor(attempt, used, prices, settledAtMs) });
    return { kind: "found", usage: used };
  };
  const report = await reconcileProvider({ ...deps, lookup }, provider, live);
  assert.deepEqual(report, { corrected: 0, pending: 0, unknown: 0, overtaken: 1, failed: 0 });
  assert.deepEqual([...ledger.keys()], ["a", "a.1"]);
});

test("an attempt that others correct again and again is given up for this pass, and nothing of it is told as done", async () => {
  const entry = charge("a");
  const { deps, ledger } = setUp([entry], { a: { kind: "found", usage: usage({ inputTokens: 3 }) } });
  let tries = 0;
  const overtaking: ReconcileDeps = {
    ...deps,
    store: {
      ...deps.store,
      append: async (correction) => {
        tries++;
        append(ledger, rerated(correction.attempt));
        return append(ledger, correction);
      },
    },
  };
  const report = await reconcileProvider(overtaking, provider, live);
  assert.deepEqual([report.corrected, report.overtaken, tries], [0, 1, correctionTriesMax]);
  assert.ok([...ledger.values()].every(({ basis }) => basis === "metered"));
});

/** What rating it again, by the dearer price, appends. */
function rerated(attempt: ChargedAttempt): Correction {
  const standing = standingOf(attempt);
  const costNanoUsd = toNanoUsd(dearer.cost(standing.usage) - standing.costNanoUsd);
  const priceVersion = `dearer (was ${standing.priceVersion})`;
  return { attempt, entry: { ...attempt.charge, usage: emptyUsage(), costNanoUsd, priceVersion, flags: [] } };
}

test("without a price the usage is corrected, and the amount is not", () => {
  const entry = charge("a", { costNanoUsd: toNanoUsd(5n), modelTarget: "p/unknown", priceVersion: null });
  const correction = correct(entry, usage({ inputTokens: 1 }));
  assert.equal(correction.costNanoUsd, 0n);
  assert.equal(correction.usage.inputTokens, -99);
  assert.deepEqual(correction.flags, []);
});

test("a correction of a charge that had no price gives it one, if there is one by now", () => {
  const entry = charge("a", { costNanoUsd: toNanoUsd(0n), priceVersion: null, flags: ["unpriced", "estimated"] });
  const used = usage({ inputTokens: 7 });
  const correction = correct(entry, used);
  assert.equal(correction.costNanoUsd, price.cost(used));
  assert.deepEqual(correction.flags, ["priced"]);
});

test("a correction after a re-rating is rated by what it was re-rated to, and both leave what was used", () => {
  const entry = charge("a");
  const rerated: LedgerEntry = {
    ...entry,
    entryId: "a.1",
    kind: "correction",
    usage: emptyUsage(),
    costNanoUsd: toNanoUsd(dearer.cost(entry.usage) - entry.costNanoUsd),
    priceVersion: "dearer (was test)",
  };
  const used = usage({ inputTokens: 3, outputTokens: 1 });
  const ledger = new Map([entry, rerated].map((each) => [each.entryId, each]));
  const attempt = attemptOf(entry, ledger);
  append(ledger, { attempt, entry: correctionFor(attempt, used, prices, settledAtMs) });
  assert.deepEqual(totals(ledger, "a"), { usage: used, cost: dearer.cost(used) });
});

function correct(entry: LedgerEntry, used: Usage): CorrectionEntry {
  return correctionFor({ charge: entry, corrections: [], startedAtMs: entry.atMs }, used, prices, settledAtMs);
}
