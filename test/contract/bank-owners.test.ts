import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { leaseMs, startMs, testOnBank } from "./bank-place.ts";
import { dayMs, drawOf, insertAllowance } from "./bank-samples.ts";
import { grantedOf, numbersOf } from "./bank-steps.ts";
import { clock, engines } from "./engines.ts";

for (const engine of engines) {
  describe(`owners of the bank on ${engine.name}`, () => {
    describe("returns and recalls", () => {
      testOnBank(engine, "a return is available to others, once however often it comes", async ({ bank, db }) => {
        const account = await insertAllowance(db, "alw_1", { limit_amount: 100n });
        await bank.draw("a", [drawOf(account, 1, 100n)]);
        const returned = { accountId: account.accountId, sequence: 2, amount: 60n, refusals: 0 };
        await bank.giveBack("a", [returned]);
        await bank.giveBack("a", [returned]);
        assert.deepEqual(await numbersOf(db, account), [100n, 0n, 40n, 0n]);
        assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 1, 60n)])), 60n);
      });

      testOnBank(engine, "more than was granted cannot be given back", async ({ bank, db }) => {
        const account = await insertAllowance(db, "alw_1");
        await bank.draw("a", [drawOf(account, 1, 10n)]);
        const returned = { accountId: account.accountId, sequence: 2, amount: 11n, refusals: 0 };
        await assert.rejects(bank.giveBack("a", [returned]), { code: "internal" });
        await assert.rejects(bank.giveBack("b", [{ ...returned, sequence: 1 }]), { code: "internal" });
        assert.deepEqual(await numbersOf(db, account), [1000n, 0n, 10n, 0n]);
      });

      testOnBank(
        engine,
        "a recall is told to every other owner that has something, until it answers",
        async ({ bank, db }) => {
          const [account, other] = [await insertAllowance(db, "alw_1"), await insertAllowance(db, "alw_2")];
          await bank.register("c", "instance c", leaseMs);
          for (const owner of ["a", "b", "c"]) await bank.draw(owner, [drawOf(account, 1, 10n), drawOf(other, 1, 10n)]);
          await bank.giveBack("c", [{ accountId: account.accountId, sequence: 2, amount: 10n, refusals: 0 }]);
          await bank.recall("b", [account.accountId]);
          const told = async (owner: string): Promise<readonly string[]> => (await bank.renew(owner, leaseMs)).recalled;
          assert.deepEqual([await told("a"), await told("b"), await told("c")], [[account.accountId], [], []]);
          await bank.draw("a", [drawOf(account, 2, 10n)]);
          assert.deepEqual(await told("a"), [account.accountId]);
          await bank.giveBack("a", [{ accountId: account.accountId, sequence: 3, amount: 0n, refusals: 0 }]);
          assert.deepEqual(await told("a"), []);
        },
      );
    });

    describe("leases", () => {
      test("of a store's own bank go by a clock that all its processes share", async () => {
        await using place = await engine.createPlace();
        await using store = await place.openStore();
        const before = clock.wallMs();
        const { alive, nowMs } = await store.bank.register("a", store.instanceId, leaseMs);
        assert.ok(alive && Number.isInteger(nowMs));
        assert.ok(before - 1000 <= nowMs && nowMs <= clock.wallMs() + 1000, `${nowMs} is not about now`);
        const renewed = await store.bank.renew("a", leaseMs);
        assert.ok(renewed.alive && renewed.nowMs >= nowMs);
        assert.deepEqual(await store.bank.reap(), { owners: 0, accounts: 0 });
        await store.bank.register("b", store.instanceId, -1);
        assert.deepEqual(await store.bank.reap(), { owners: 1, accounts: 0 });
      });

      testOnBank(engine, "tell the bank's time, and registering again is the same owner", async ({ bank, time }) => {
        assert.deepEqual(await bank.register("a", "instance a", leaseMs), {
          alive: true,
          nowMs: startMs,
          recalled: [],
        });
        time.nowMs += 5;
        assert.deepEqual(await bank.renew("a", leaseMs), { alive: true, nowMs: startMs + 5, recalled: [] });
        assert.deepEqual(await bank.renew("nobody", leaseMs), { alive: false, nowMs: startMs + 5, recalled: [] });
      });

      testOnBank(engine, "that are renewed are not reaped, those that ended are", async ({ bank, db, time }) => {
        const account = await insertAllowance(db, "alw_1");
        for (const owner of ["a", "b"]) await bank.draw(owner, [drawOf(account, 1, 10n)]);
        time.nowMs += leaseMs;
        await bank.renew("b", leaseMs);
        assert.deepEqual(await bank.reap(), { owners: 0, accounts: 0 });
        time.nowMs += 1;
        assert.deepEqual(await bank.reap(), { owners: 1, accounts: 1 });
        assert.deepEqual(await bank.reap(), { owners: 0, accounts: 0 });
        assert.deepEqual(await numbersOf(db, account), [1000n, 0n, 10n, 10n]);
        assert.equal((await bank.renew("a", leaseMs)).alive, false);
        assert.equal((await bank.register("a", "instance a", leaseMs)).alive, false);
        assert.equal((await bank.renew("b", leaseMs)).alive, true);
      });

      testOnBank(
        engine,
        "that ended leave their owner nothing to draw, give back or answer",
        async ({ bank, db, time }) => {
          const account = await insertAllowance(db, "alw_1");
          await bank.draw("a", [drawOf(account, 1, 10n)]);
          time.nowMs += leaseMs + 1;
          await bank.renew("b", leaseMs);
          await bank.reap();
          await assert.rejects(bank.draw("a", [drawOf(account, 2, 10n)]), { code: "owner_fenced" });
          await assert.rejects(bank.draw("nobody", [drawOf(account, 1, 10n)]), { code: "owner_fenced" });
          await bank.giveBack("a", [{ accountId: account.accountId, sequence: 2, amount: 10n, refusals: 0 }]);
          await bank.recall("b", [account.accountId]);
          assert.deepEqual((await bank.renew("a", leaseMs)).recalled, []);
          assert.deepEqual(await numbersOf(db, account), [1000n, 0n, 0n, 10n]);
        },
      );

      testOnBank(engine, "that ended leave their slots to others, and nothing behind", async ({ bank, db, time }) => {
        const account = await insertAllowance(db, "alw_1", { meter: "slots", limit_amount: 10n });
        await bank.draw("a", [drawOf(account, 1, 10n)]);
        assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 1, 1n)])), 0n);
        time.nowMs += leaseMs + 1;
        await bank.renew("b", leaseMs);
        assert.deepEqual(await bank.reap(), { owners: 1, accounts: 0 });
        assert.deepEqual(await numbersOf(db, account), [10n, 0n, 0n, 0n]);
        assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 2, 10n)])), 10n);
        await bank.giveBack("a", [{ accountId: account.accountId, sequence: 2, amount: 10n, refusals: 0 }]);
        await bank.finish(["a"]);
        assert.deepEqual(await numbersOf(db, account), [10n, 0n, 10n, 0n]);
      });

      testOnBank(engine, "are forgotten with the slots that nobody finished", async ({ bank, db, time }) => {
        const account = await insertAllowance(db, "alw_1", { meter: "slots", limit_amount: 10n });
        await bank.draw("a", [drawOf(account, 1, 10n)]);
        time.nowMs += leaseMs + dayMs;
        await bank.reap();
        time.nowMs += 1;
        await bank.reap();
        for (const table of ["allowance_owners", "allowance_grants"] as const) {
          assert.deepEqual(await db.selectFrom(table).select("owner_id").execute(), []);
        }
      });

      testOnBank(
        engine,
        "are forgotten a day after they ended, unless something is in suspense",
        async ({ bank, db, time }) => {
          const account = await insertAllowance(db, "alw_1");
          await bank.draw("a", [drawOf(account, 1, 10n)]);
          time.nowMs += leaseMs + dayMs;
          await bank.reap();
          time.nowMs += 1;
          await bank.reap();
          const owners = async (): Promise<readonly string[]> =>
            (await db.selectFrom("allowance_owners").select("owner_id").execute()).map((row) => row.owner_id);
          assert.deepEqual(await owners(), ["a"]);
          await bank.finish(["a"]);
          await bank.reap();
          assert.deepEqual(await owners(), []);
        },
      );
    });
  });
}
