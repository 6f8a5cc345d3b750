/** Several correct the same attempts at the same time, each through connections of its own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Kysely } from "kysely";
import type { Price, PriceBook } from "../../src/accounting/price-book.ts";
import { createPrice } from "../../src/accounting/prices/rates.ts";
import { reconcileProvider, type ReconcileDeps, type ReconcileReport } from "../../src/accounting/reconcile.ts";
import type { RerateReport } from "../../src/accounting/rerate.ts";
import { standingOf } from "../../src/accounting/standing.ts";
import { appendToLedger } from "../../src/exchange/corrections.ts";
import { rerateCalls } from "../../src/exchange/rerating.ts";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import { emptyUsage, type Usage } from "../../src/kernel/usage.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import { listChargedAttempts, rereadAttempts } from "../../src/storage/reports/charged-attempts.ts";
import { appendCorrections } from "../../src/storage/reports/corrections.ts";
import { listUnreconciled } from "../../src/storage/reports/reconciliation.ts";
import { reportUsage } from "../../src/storage/reports/usage-report.ts";
import type { Database } from "../../src/storage/schema.ts";
import type { Store } from "../../src/storage/storage.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";
import { insertAllowance, drawOf } from "./bank-samples.ts";
import { numbersOf } from "./bank-steps.ts";
import { clock, engines, ids } from "./engines.ts";
import { sampleEntry, sampleRecord } from "./samples.ts";

const old = createPrice("old", { input: "1", output: "10" });
const dear = createPrice("dear", { input: "3", output: "30" });
const counted: Usage = { ...emptyUsage(), inputTokens: 100, outputTokens: 10 };
const used: Usage = { ...emptyUsage(), inputTokens: 70, outputTokens: 3 };
const live = new AbortController().signal;
const all = { fromMs: null, toMs: null, provider: null, model: null };
const ATTEMPTS = 60;

function bookOf(price: Price): PriceBook {
  return { find: () => price, findVersion: (version) => [old, dear].find((each) => each.version === version) ?? null };
}

/** Estimates by the old price. */
async function settleAttempts(store: Store, payer: LedgerEntry["payer"]): Promise<void> {
  const atMs = clock.wallMs() - 1000;
  const entries = Array.from({ length: ATTEMPTS }, (_, index) =>
    sampleEntry("req_1", `att_${String(index).padStart(2, "0")}`, {
      payer,
      atMs,
      usage: counted,
      costNanoUsd: old.cost(counted),
      priceVersion: old.version,
      basis: "metered",
    }),
  );
  await store.journal.close(sampleRecord("req_1", { payer, startedAtMs: atMs }), entries);
  await store.delivered();
}

function rerateAll(db: Kysely<Database>): Promise<RerateReport> {
  return rerateCalls({ clock, db }, { prices: bookOf(dear) }, all, { unpricedOnly: false, dryRun: false }, live);
}

/** The provider says at once what it is asked. */
function reconcileAll(db: Kysely<Database>): Promise<ReconcileReport> {
  const store: ReconcileDeps["store"] = {
    unreconciled: (query) => listUnreconciled(db, query),
    append: async (correction) => (await appendToLedger(db, [correction], clock.wallMs())).length > 0,
    reread: async (attempt) => (await rereadAttempts(db, [attempt]))[0] ?? attempt,
  };
  const deps: ReconcileDeps = {
    prices: bookOf(old),
    store,
    lookup: async () => ({ kind: "found", usage: used }),
    lookupFailed: (_, reason) => assert.fail(String(reason)),
    wallMs: () => clock.wallMs(),
  };
  return reconcileProvider(deps, { name: "openai", acceptsClientRequestId: true, absentAfterMs: 0 }, live);
}

for (const engine of engines) {
  describe(`corrections at once on ${engine.name}`, () => {
    test("of those reckoned from the same standing one is appended, in whatever order they come", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await using other = place.openDatabase();
      await using third = place.openDatabase();
      await settleAttempts(store, { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" });
      const attempts = await listChargedAttempts(store.db, { ...all, after: null, limit: ATTEMPTS });
      const corrections = attempts.map((attempt) => ({ attempt, entry: attempt.charge, moves: [] }));
      const orders = [corrections, corrections.toReversed(), corrections.toSpliced(0, 20)];
      const appended = await Promise.all(
        [store.db, other, third].map((db, index) => appendCorrections(db, orders[index] ?? [])),
      );
      assert.equal(
        appended.reduce((sum, { size }) => sum + size, 0),
        ATTEMPTS,
      );
      const [total] = await reportUsage(store.db, { by: [] });
      assert.deepEqual(
        [total?.costNanoUsd, total?.bases.metered],
        [2n * BigInt(ATTEMPTS) * old.cost(counted), ATTEMPTS],
      );
    });

    test("ratings and reconciliations leave ledger, sums and budgets at the same, and say what they appended", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await using other = place.openDatabase();
      const tenant = await createTenant({ db: store.db, clock, ids, randomFill: systemRandomFill }, "acme");
      const account = await insertAllowance(store.db, "alw_1", { tenant_id: tenant.id });
      await store.bank.register("own_1", store.instanceId, 30_000);
      await store.bank.draw("own_1", [drawOf(account, 1, 1n)]);
      await settleAttempts(store, { tenantId: tenant.id, projectId: "prj_1", keyId: "key_1" });

      const [rated, ratedToo, reconciled, reconciledToo] = await Promise.all([
        rerateAll(store.db),
        rerateAll(other),
        reconcileAll(store.db),
        reconcileAll(other),
      ]);

      const attempts = await listChargedAttempts(store.db, { ...all, after: null, limit: ATTEMPTS });
      const standings = attempts.map(standingOf);
      assert.ok(standings.every(({ basis }) => basis === "reported"));
      for (const { usage } of standings) assert.deepEqual(usage, used);
      assert.equal(reconciled.corrected + reconciledToo.corrected, ATTEMPTS);
      assert.equal(
        rated.rerated + ratedToo.rerated + reconciled.corrected + reconciledToo.corrected,
        attempts.reduce((sum, { corrections }) => sum + corrections.length, 0),
      );
      const cost = standings.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
      const [total] = await reportUsage(store.db, { by: [] });
      assert.deepEqual(
        [total?.costNanoUsd, total?.bases.reported, total?.bases.metered, total?.usage.inputTokens],
        [cost, ATTEMPTS, 0, ATTEMPTS * used.inputTokens],
      );
      const corrected = cost - BigInt(ATTEMPTS) * old.cost(counted);
      assert.equal((await numbersOf(store.db, account))[1], corrected);

      await rerateAll(other);
      const ratedAgain = await listChargedAttempts(store.db, { ...all, after: null, limit: ATTEMPTS });
      for (const attempt of ratedAgain) assert.equal(standingOf(attempt).costNanoUsd, dear.cost(used));
    });
  });
}
