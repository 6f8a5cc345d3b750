/** Owners with grants from more accounts than one transaction goes through. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import type { Bank } from "../../src/storage/escrow/bank.ts";
import { fenceOwner, finishSome } from "../../src/storage/escrow/owner-ends.ts";
import type { Store } from "../../src/storage/storage.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";
import { sql } from "kysely";
import { type BankOnStore, leaseMs, testOnBank } from "./bank-place.ts";
import { drawOf, insertAllowance } from "./bank-samples.ts";
import { clock, engines, ids } from "./engines.ts";

const accountsMany = 450;
const each = 10n;

/** A grant from the account of each of many end users. */
async function drawFromMany(bank: Bank, ownerId: string): Promise<void> {
  const subjects = Array.from({ length: accountsMany }, (_, index) => `user-${index}`);
  const keys = subjects.map((subject) => ({
    accountId: `alw_1|${subject}|0`,
    allowanceId: "alw_1",
    subject,
    windowStartMs: 0,
    windowEndMs: null,
  }));
  const drawn = await bank.draw(
    ownerId,
    keys.map((key) => drawOf(key, 1, each)),
  );
  assert.ok(drawn.every(({ granted }) => granted === each));
}

interface Sums {
  readonly spent: bigint;
  readonly granted: bigint;
  readonly suspense: bigint;
  /** Rows of grants. */
  readonly grants: number;
}

async function sumsOf({ db }: Pick<BankOnStore, "db">): Promise<Sums> {
  const accounts = await db.selectFrom("allowance_accounts").selectAll().execute();
  const grants = await db.selectFrom("allowance_grants").select("account_id").execute();
  return {
    spent: accounts.reduce((sum, row) => sum + row.spent_amount, 0n),
    granted: accounts.reduce((sum, row) => sum + row.granted_amount, 0n),
    suspense: accounts.reduce((sum, row) => sum + row.suspense_amount, 0n),
    grants: grants.length,
  };
}

const all = BigInt(accountsMany) * each;
const nothing: Sums = { spent: 0n, granted: 0n, suspense: 0n, grants: 0 };

for (const engine of engines) {
  describe(`the end of an owner of many accounts on ${engine.name}`, () => {
    testOnBank(engine, "finishes it whole, and again changes nothing", async (banks) => {
      await insertAllowance(banks.db, "alw_1", { scope: "end-user" });
      await drawFromMany(banks.bank, "a");
      assert.deepEqual(await sumsOf(banks), { ...nothing, granted: all, grants: accountsMany });
      await banks.bank.finish(["a"]);
      assert.deepEqual(await sumsOf(banks), nothing);
      await banks.bank.finish(["a"]);
      assert.deepEqual(await sumsOf(banks), nothing);
    });

    testOnBank(engine, "leaves others what is theirs", async (banks) => {
      await insertAllowance(banks.db, "alw_1", { scope: "end-user" });
      for (const owner of ["a", "b"]) await drawFromMany(banks.bank, owner);
      await banks.bank.finish(["a"]);
      assert.deepEqual(await sumsOf(banks), { ...nothing, granted: all, grants: accountsMany });
    });

    testOnBank(engine, "fences it whole, and what is in suspense is finished whole", async (banks) => {
      const { bank, db, time } = banks;
      await insertAllowance(db, "alw_1", { scope: "end-user" });
      await drawFromMany(bank, "a");
      time.nowMs += leaseMs + 1;
      await bank.renew("b", leaseMs);
      assert.deepEqual(await bank.reap(), { owners: 1, accounts: accountsMany });
      assert.deepEqual(await sumsOf(banks), { ...nothing, suspense: all, grants: accountsMany });
      await bank.finish(["a"]);
      assert.deepEqual(await sumsOf(banks), nothing);
    });

    testOnBank(engine, "may be interrupted: whoever comes next brings it to its end, once", async (banks) => {
      const { bank, db, time } = banks;
      await insertAllowance(db, "alw_1", { scope: "end-user" });
      await drawFromMany(bank, "a");
      time.nowMs += leaseMs + 1;
      await bank.renew("b", leaseMs);

      assert.equal(await fenceOwner(db, "a", sql<number>`cast(${time.nowMs} as bigint)`), true);
      assert.deepEqual(await sumsOf(banks), { ...nothing, granted: all, grants: accountsMany });
      await assert.rejects(bank.draw("a", [drawOf(await insertAllowance(db, "alw_2"), 1, 1n)]), {
        code: "owner_fenced",
      });
      assert.deepEqual(await bank.reap(), { owners: 0, accounts: accountsMany });
      assert.deepEqual(await bank.reap(), { owners: 0, accounts: 0 });

      const isLast = await db.transaction().execute((transaction) => finishSome(transaction, "a"));
      const { suspense, granted, grants } = await sumsOf(banks);
      assert.deepEqual([isLast, granted, suspense], [false, 0n, BigInt(grants) * each]);
      assert.ok(grants > 0 && grants < accountsMany);
      await Promise.all([bank.finish(["a"]), bank.reap(), banks.openAnother().bank.finish(["a"])]);
      assert.deepEqual(await sumsOf(banks), nothing);
    });

    test("whose process died is brought about by its recovery", async () => {
      await using place = await engine.createPlace();
      await using store: Store = await place.openStore({ recoveryIntervalMs: 3_600_000 });
      const tenant = await createTenant({ db: store.db, clock, ids, randomFill: systemRandomFill }, "acme");
      await insertAllowance(store.db, "alw_1", { tenant_id: tenant.id, scope: "end-user" });
      await store.journalDb.insertInto("instances").values({ id: "ins_dead", started_at_ms: 1 }).execute();
      for (const owner of ["own_1", "own_2"]) {
        await store.bank.register(owner, "ins_dead", leaseMs);
        await drawFromMany(store.bank, owner);
      }
      assert.deepEqual(await store.recoverHolds(), { instances: 1, attempts: 0 });
      await store.delivered();
      assert.deepEqual(await sumsOf(store), nothing);
      const instances = await store.journalDb.selectFrom("instances").select("id").execute();
      assert.deepEqual(
        instances.map(({ id }) => id),
        [store.instanceId],
      );
    });
  });
}
