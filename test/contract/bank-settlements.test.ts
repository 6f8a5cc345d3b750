import assert from "node:assert/strict";
import { describe } from "node:test";
import type { Kysely } from "kysely";
import type { Database } from "../../src/storage/schema.ts";
import { leaseMs, testOnBank } from "./bank-place.ts";
import { accountOf, drawOf, insertAllowance, today, tomorrow } from "./bank-samples.ts";
import { changeLimit, grantedOf, insertOverride, numbersOf, settleMoves } from "./bank-steps.ts";
import { engines } from "./engines.ts";

for (const engine of engines) {
  describe(`settlements at the bank on ${engine.name}`, () => {
    describe("settlements", () => {
      testOnBank(engine, "take from the grant, and beyond it from the account", async ({ bank, db }) => {
        const account = await insertAllowance(db, "alw_1");
        for (const owner of ["a", "b"]) await bank.draw(owner, [drawOf(account, 1, 50n)]);
        await settleMoves(db, [
          { ownerId: "a", accountId: account.accountId, fromGrant: 20n, overdraft: 0n },
          { ownerId: "b", accountId: account.accountId, fromGrant: 50n, overdraft: 7n },
          { ownerId: "a", accountId: account.accountId, fromGrant: 10n, overdraft: 0n },
        ]);
        assert.deepEqual(await numbersOf(db, account), [1000n, 87n, 20n, 0n]);
        assert.deepEqual(await grants(db), [
          ["a", 20n],
          ["b", 0n],
        ]);
      });

      testOnBank(
        engine,
        "of a fenced owner take from suspense; what is left is available when it is finished",
        async (banks) => {
          const { bank, db, time } = banks;
          const account = await insertAllowance(db, "alw_1");
          await bank.draw("a", [drawOf(account, 1, 50n)]);
          time.nowMs += leaseMs + 1;
          await bank.reap();
          await settleMoves(db, [{ ownerId: "a", accountId: account.accountId, fromGrant: 20n, overdraft: 1n }]);
          assert.deepEqual(await numbersOf(db, account), [1000n, 21n, 0n, 30n]);
          await bank.finish(["a", "nobody"]);
          await bank.finish(["a"]);
          assert.deepEqual(await numbersOf(db, account), [1000n, 21n, 0n, 0n]);
          assert.deepEqual(await grants(db), []);
        },
      );

      testOnBank(engine, "that come after their owner was finished are spent all the same", async ({ bank, db }) => {
        const account = await insertAllowance(db, "alw_1");
        await bank.draw("a", [drawOf(account, 1, 50n)]);
        await bank.finish(["a"]);
        await assert.rejects(bank.draw("a", [drawOf(account, 2, 50n)]), { code: "owner_fenced" });
        await settleMoves(db, [{ ownerId: "a", accountId: account.accountId, fromGrant: 20n, overdraft: 5n }]);
        await settleMoves(db, [{ ownerId: "a", accountId: "alw_nothing||0", fromGrant: 20n, overdraft: 5n }]);
        assert.deepEqual(await numbersOf(db, account), [1000n, 25n, 0n, 0n]);
      });

      testOnBank(
        engine,
        "beyond what the grant holds are spent, and nobody holds less than nothing",
        async ({ bank, db }) => {
          const account = await insertAllowance(db, "alw_1");
          await bank.draw("a", [drawOf(account, 1, 50n)]);
          await settleMoves(db, [{ ownerId: "a", accountId: account.accountId, fromGrant: 80n, overdraft: 0n }]);
          assert.deepEqual(await numbersOf(db, account), [1000n, 80n, 0n, 0n]);
        },
      );

      testOnBank(engine, "of what nothing was drawn from make its account", async ({ bank, db, time }) => {
        const rate = { meter: "tokens", window_kind: "minute", mode: "soft", limit_amount: 60n } as const;
        const account = await insertAllowance(db, "alw_1", rate);
        const disabled = await insertAllowance(db, "alw_2", { disabled_at_ms: 1 });
        const { accountId } = account;
        await settleMoves(db, [
          { ownerId: "a", accountId, fromGrant: 0n, overdraft: 40n },
          { ownerId: "a", accountId: disabled.accountId, fromGrant: 0n, overdraft: 3n },
          { ownerId: "a", accountId: `alw_1||${today.startMs}`, fromGrant: 0n, overdraft: 5n },
        ]);
        assert.deepEqual(await numbersOf(db, account), [60n, 40n, 0n, 0n]);
        assert.deepEqual(await numbersOf(db, disabled), [1000n, 3n, 0n, 0n]);
        assert.equal((await db.selectFrom("allowance_accounts").select("account_id").execute()).length, 2);
        time.nowMs += 30_000;
        const [drawn] = await bank.draw("a", [drawOf(account, 1, 1n)]);
        assert.equal(drawn?.standing?.spent, 10n, "a rate drains from when its account is made");
      });

      testOnBank(engine, "keep amounts that no number can", async ({ bank, db }) => {
        const limit = 9_000_000_000_000_000_001n;
        const account = await insertAllowance(db, "alw_1", { limit_amount: limit });
        assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 1, limit)])), limit);
        await settleMoves(db, [{ ownerId: "a", accountId: account.accountId, fromGrant: limit - 1n, overdraft: 0n }]);
        assert.deepEqual(await numbersOf(db, account), [limit, limit - 1n, 1n, 0n]);
      });
    });

    describe("changes of the limit", () => {
      testOnBank(
        engine,
        "reach the accounts whose window has not ended, and recall what is granted",
        async ({ bank, db, time }) => {
          await insertAllowance(db, "alw_1", { window_kind: "day" });
          const [old, current] = [accountOf("alw_1", today), accountOf("alw_1", tomorrow)];
          await bank.draw("a", [drawOf(old, 1, 10n)]);
          time.nowMs = today.endMs;
          await bank.renew("a", leaseMs);
          await bank.draw("a", [drawOf(current, 1, 100n)]);
          await changeLimit(db, "alw_1", 60n, time.nowMs);
          assert.deepEqual(await numbersOf(db, old), [1000n, 0n, 10n, 0n]);
          assert.deepEqual(await numbersOf(db, current), [60n, 0n, 100n, 0n]);
          assert.deepEqual((await bank.renew("a", leaseMs)).recalled, [current.accountId]);
          assert.equal(await grantedOf(bank.draw("a", [drawOf(current, 2, 1n)])), 0n);
          await changeLimit(db, "alw_1", 200n, time.nowMs);
          assert.equal(await grantedOf(bank.draw("a", [drawOf(current, 3, 1n)])), 1n);
        },
      );

      testOnBank(
        engine,
        "by an override reach only the windows that begin in it; of a rate the burst counts",
        async (banks) => {
          const { bank, db, time } = banks;
          await insertAllowance(db, "alw_1", { window_kind: "day" });
          const rate = await insertAllowance(db, "alw_2", { meter: "tokens", window_kind: "hour", burst_amount: 7n });
          const account = accountOf("alw_1", today);
          await bank.draw("a", [drawOf(account, 1, 10n), drawOf(rate, 1, 1n)]);
          await insertOverride(db, "alw_1", today, { limit: 50n });
          await changeLimit(db, "alw_1", 2000n, time.nowMs);
          await changeLimit(db, "alw_2", 2000n, time.nowMs);
          await changeLimit(db, "alw_nothing", 2000n, time.nowMs);
          assert.equal((await numbersOf(db, account))[0], 50n);
          assert.equal((await numbersOf(db, rate))[0], 7n);
        },
      );
    });
  });
}

async function grants(db: Kysely<Database>): Promise<readonly (readonly [string, bigint])[]> {
  const rows = await db.selectFrom("allowance_grants").selectAll().orderBy("owner_id").execute();
  return rows.map((row) => [row.owner_id, row.amount]);
}
