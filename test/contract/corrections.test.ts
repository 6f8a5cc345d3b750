import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import type { Move } from "../../src/storage/escrow/bank.ts";
import { toNanoUsd } from "../../src/kernel/money.ts";
import { emptyUsage } from "../../src/kernel/usage.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import { listChargedAttempts, readAttempts, type AttemptCursor } from "../../src/storage/reports/charged-attempts.ts";
import {
  appendCorrections,
  type CorrectionEntry,
  type CorrectionToAppend,
} from "../../src/storage/reports/corrections.ts";
import { listUnreconciled } from "../../src/storage/reports/reconciliation.ts";
import { listUnpricedTargets, type UnpricedTarget } from "../../src/storage/reports/unpriced-targets.ts";
import { reportUsage, type UsageQuery } from "../../src/storage/reports/usage-report.ts";
import type { Store } from "../../src/storage/storage.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";
import { drawOf, insertAllowance } from "./bank-samples.ts";
import { numbersOf } from "./bank-steps.ts";
import { clock, engines, ids } from "./engines.ts";
import { sampleEntry, sampleRecord } from "./samples.ts";

const startedAtMs = Date.UTC(2026, 10, 21, 9);

async function settle(store: Store, requestId: string, entries: readonly LedgerEntry[]): Promise<void> {
  await store.journal.close(sampleRecord(requestId, { startedAtMs }), entries);
  await store.delivered();
}

/** To append it to an attempt as it stands. */
async function correction(
  store: Store,
  { entryId }: LedgerEntry,
  more: Partial<CorrectionEntry> = {},
  moves: readonly Move[] = [],
): Promise<CorrectionToAppend> {
  const [attempt] = await readAttempts(store.db, [{ entry_id: entryId }]);
  assert.ok(attempt);
  const { charge } = attempt;
  const entry = { ...charge, atMs: charge.atMs + 1000, usage: emptyUsage(), costNanoUsd: toNanoUsd(7n), ...more };
  return { attempt, entry, moves };
}

async function correct(store: Store, charge: LedgerEntry, more: Partial<CorrectionEntry> = {}): Promise<void> {
  assert.equal((await appendCorrections(store.db, [await correction(store, charge, more)])).size, 1);
}

const anything = { fromMs: null, toMs: null, provider: null, model: null, after: null, limit: 100 };

for (const engine of engines) {
  describe(`corrections on ${engine.name}`, () => {
    test("an attempt is read with its corrections in order, and when its request began", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const charges = ["att_1", "att_10", "att_2"].map((id) => sampleEntry("req_1", id));
      await settle(store, "req_1", charges);
      const [first] = charges;
      assert.ok(first);
      const versions = Array.from({ length: 11 }, (_, index) => `v${index + 2} (was v${index + 1})`);
      // By clocks that differ.
      for (const [index, priceVersion] of versions.entries()) {
        await correct(store, first, { priceVersion, atMs: first.atMs - index * 1000 });
      }
      const attempts = await listChargedAttempts(store.db, anything);
      assert.deepEqual(
        attempts.map(({ charge, corrections }) => [charge.attemptId, corrections.length]),
        [
          ["att_1", 11],
          ["att_10", 0],
          ["att_2", 0],
        ],
      );
      assert.deepEqual(
        attempts[0]?.corrections.map(({ entryId, priceVersion }) => [entryId, priceVersion]),
        versions.map((version, index) => [`att_1.${index + 1}`, version]),
      );
      assert.deepEqual([attempts[0]?.charge, attempts[0]?.startedAtMs], [first, startedAtMs]);
    });

    test("attempts are read in pages by when they were settled, and narrowed by time, provider and target", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const entries = Array.from({ length: 25 }, (_, index) =>
        sampleEntry("req_1", `att_${String(100 - index)}`, {
          atMs: 1_000_000 + Math.floor(index / 10) * 1000,
          provider: index % 2 === 0 ? "openai" : "azure",
          modelTarget: index % 5 === 0 ? "p/five" : "p/other",
        }),
      );
      await settle(store, "req_1", entries);
      const seen: string[] = [];
      let after: AttemptCursor | null = null;
      for (;;) {
        const page = await listChargedAttempts(store.db, { ...anything, after, limit: 7 });
        const last = page.at(-1)?.charge;
        seen.push(...page.map(({ charge }) => charge.entryId));
        if (last === undefined) break;
        after = { atMs: last.atMs, entryId: last.entryId };
      }
      const inOrder = entries.toSorted((a, b) => a.atMs - b.atMs || (a.entryId < b.entryId ? -1 : 1));
      assert.deepEqual(
        seen,
        inOrder.map(({ entryId }) => entryId),
      );
      const count = async (narrowed: Partial<typeof anything> | object): Promise<number> =>
        (await listChargedAttempts(store.db, { ...anything, ...narrowed })).length;
      assert.equal(await count({ fromMs: 1_001_000, toMs: 1_002_000 }), 10);
      assert.equal(await count({ provider: "azure" }), 12);
      assert.equal(await count({ model: "p/five" }), 5);
    });

    test("what a correction moves in allowances is moved with it, once", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const charge = sampleEntry("req_1", "att_1");
      await settle(store, "req_1", [charge]);
      const deps = { db: store.db, clock, ids, randomFill: systemRandomFill };
      const tenant = await createTenant(deps, "acme");
      const account = await insertAllowance(store.db, "alw_1", { tenant_id: tenant.id });
      await store.bank.register("own_1", store.instanceId, 30_000);
      const [drawn] = await store.bank.draw("own_1", [drawOf(account, 1, 100n)]);
      assert.equal(drawn?.granted, 100n);
      const back = { ownerId: "correction", accountId: account.accountId, fromGrant: 0n, overdraft: -30n };
      const more = { ...back, overdraft: 50n };
      await appendCorrections(store.db, [await correction(store, charge, {}, [more])]);
      const second = await correction(store, charge, {}, [back]);
      for (let times = 0; times < 2; times++) await appendCorrections(store.db, [second]);
      assert.deepEqual(await numbersOf(store.db, account), [1000n, 20n, 100n, 0n]);
    });

    test("a correction makes no account: one that is not there did not count its request", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const charge = sampleEntry("req_1", "att_1");
      await settle(store, "req_1", [charge]);
      const deps = { db: store.db, clock, ids, randomFill: systemRandomFill };
      const tenant = await createTenant(deps, "acme");
      const { accountId } = await insertAllowance(store.db, "alw_1", { tenant_id: tenant.id });
      const more = { ownerId: "correction", accountId, fromGrant: 0n, overdraft: 50n };
      assert.equal((await appendCorrections(store.db, [await correction(store, charge, {}, [more])])).size, 1);
      assert.deepEqual(await store.db.selectFrom("allowance_accounts").select("account_id").execute(), []);
    });

    test("a correction that keeps the basis leaves its charge to be asked about; one that confirms it does not", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const charge = sampleEntry("req_1", "att_1", { basis: "metered" });
      await settle(store, "req_1", [charge]);
      const listed = async (): Promise<(readonly [string, number])[]> =>
        (await listUnreconciled(store.db, { provider: charge.provider, limit: 10 })).map(
          (attempt) => [attempt.charge.entryId, attempt.corrections.length] as const,
        );
      await correct(store, charge);
      assert.deepEqual(await listed(), [["att_1", 1]]);
      await correct(store, charge, { basis: "reported" });
      assert.deepEqual(await listed(), []);
    });

    test("an attempt counts as what it is by now, where it was charged, however late it was corrected", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const charge = sampleEntry("req_1", "att_1", { atMs: startedAtMs + 600_000, basis: "metered" });
      const other = sampleEntry("req_1", "att_2", { atMs: startedAtMs + 600_000, basis: "worst-case" });
      await settle(store, "req_1", [charge, other]);
      const monthLater = charge.atMs + 30 * 24 * 3_600_000;
      await correct(store, charge, { atMs: monthLater });
      await correct(store, charge, { atMs: monthLater + 1, basis: "reported" });
      const estimates = async (query: Pick<UsageQuery, "fromMs" | "toMs"> = {}): Promise<unknown> => {
        const counted = [];
        for (const by of [["month"], ["month", "end-user"]] as const) {
          const rows = await reportUsage(store.db, { ...query, by });
          counted.push(
            rows.map(({ attempts, bases }) => [attempts, bases.reported, bases.metered, bases["worst-case"]]),
          );
        }
        assert.deepEqual(counted[0], counted[1], "by sums of hours, and by the ledger");
        return counted[0];
      };
      const inItsMonth = [2, 1, 0, 1];
      const inThatOfItsCorrection = [0, 0, 0, 0];
      assert.deepEqual(await estimates(), [inItsMonth, inThatOfItsCorrection]);
      assert.deepEqual(await estimates({ toMs: charge.atMs + 1 }), [inItsMonth]);
      assert.deepEqual(await estimates({ fromMs: charge.atMs + 1 }), [inThatOfItsCorrection]);
    });

    test("a correction that gives a price takes its charge out of the count of those without", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const charge = sampleEntry("req_1", "att_1", { flags: ["unpriced"] });
      await settle(store, "req_1", [charge, sampleEntry("req_1", "att_2", { flags: ["unpriced"] })]);
      const unpriced = async (): Promise<readonly (number | undefined)[]> => {
        const [sums] = await reportUsage(store.db, { by: [] });
        const [entries] = await reportUsage(store.db, { by: ["end-user"] });
        return [sums?.unpriced, entries?.unpriced];
      };
      const targets = (): Promise<readonly UnpricedTarget[]> => listUnpricedTargets(store.db, charge.atMs);
      const { modelTarget: target, modelServed, atMs } = charge;
      const found = { target, modelServed, lastHourMs: atMs - (atMs % 3_600_000) };
      assert.deepEqual(await unpriced(), [2, 2]);
      assert.deepEqual(await targets(), [{ ...found, attempts: 2 }]);
      await correct(store, charge, { flags: ["priced"] });
      assert.deepEqual(await unpriced(), [1, 1]);
      assert.deepEqual(await targets(), [{ ...found, attempts: 1 }]);
    });
  });
}
