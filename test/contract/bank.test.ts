import assert from "node:assert/strict";
import { describe } from "node:test";
import { testOnBank } from "./bank-place.ts";
import { accountOf, drawOf, insertAllowance, today, tomorrow } from "./bank-samples.ts";
import { grantedOf, insertOverride, numbersOf } from "./bank-steps.ts";
import { engines } from "./engines.ts";

for (const engine of engines) {
  describe(`bank on ${engine.name}`, () => {
    describe("draws", () => {
      testOnBank(
        engine,
        "are granted from what is available, and say what the account stands at",
        async ({ bank, db }) => {
          const account = await insertAllowance(db, "alw_1");
          const results = await bank.draw("a", [drawOf(account, 1, 10n, 100n)]);
          assert.deepEqual(results, [
            {
              accountId: account.accountId,
              granted: 100n,
              standing: { limit: 1000n, spent: 0n, granted: 100n, suspense: 0n },
              retryAfterMs: null,
            },
          ]);
          assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 1, 901n, 901n)])), 0n);
          assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 2, 900n, 900n)])), 900n);
          assert.deepEqual(await numbersOf(db, account), [1000n, 0n, 1000n, 0n]);
        },
      );

      testOnBank(
        engine,
        "of several accounts are answered in the order asked, each by itself",
        async ({ bank, db }) => {
          const [rich, poor] = [
            await insertAllowance(db, "alw_z"),
            await insertAllowance(db, "alw_a", { limit_amount: 5n }),
          ];
          const results = await bank.draw("a", [drawOf(rich, 1, 10n), drawOf(poor, 1, 10n), drawOf(rich, 2, 20n)]);
          assert.deepEqual(
            results.map(({ accountId, granted: amount }) => [accountId, amount]),
            [
              [rich.accountId, 10n],
              [poor.accountId, 0n],
              [rich.accountId, 20n],
            ],
          );
          assert.deepEqual(await numbersOf(db, rich), [1000n, 0n, 30n, 0n]);
          assert.deepEqual(await bank.draw("a", []), []);
        },
      );

      testOnBank(engine, "that come again are answered the same and change nothing", async ({ bank, db }) => {
        const account = await insertAllowance(db, "alw_1", { limit_amount: 100n });
        const [first, again] = [drawOf(account, 1, 80n), drawOf(account, 1, 80n)];
        assert.deepEqual(await bank.draw("a", [first]), await bank.draw("a", [again]));
        const refused = await bank.draw("b", [drawOf(account, 1, 30n)]);
        await bank.giveBack("a", [{ accountId: account.accountId, sequence: 2, amount: 80n, refusals: 0 }]);
        assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 1, 30n)])), refused[0]?.granted);
        assert.deepEqual(await numbersOf(db, account), [100n, 0n, 0n, 0n]);
      });

      testOnBank(engine, "out of their sequence are a bug, and change nothing", async ({ bank, db }) => {
        const account = await insertAllowance(db, "alw_1");
        await bank.draw("a", [drawOf(account, 1, 10n)]);
        for (const sequence of [0, 3]) {
          await assert.rejects(bank.draw("a", [drawOf(account, sequence, 10n)]), { code: "internal" });
          const returned = { accountId: account.accountId, sequence, amount: 1n, refusals: 0 };
          await assert.rejects(bank.giveBack("a", [returned]), { code: "internal" });
        }
        assert.deepEqual(await numbersOf(db, account), [1000n, 0n, 10n, 0n]);
      });

      testOnBank(
        engine,
        "carry refused requests, as returns do, which are counted once however often they come",
        async ({ bank, db }) => {
          const account = await insertAllowance(db, "alw_1", { limit_amount: 5n });
          const refused = { ...drawOf(account, 1, 10n), refusals: 3 };
          for (const _ of [1, 2]) assert.equal(await grantedOf(bank.draw("a", [refused])), 0n);
          const report = { accountId: account.accountId, sequence: 2, amount: 0n, refusals: 4 };
          for (const _ of [1, 2]) await bank.giveBack("a", [report]);
          await bank.draw("b", [{ ...drawOf(account, 1, 1n), refusals: 1 }]);
          await db.updateTable("allowances").set({ disabled_at_ms: 1 }).execute();
          for (const _ of [1, 2]) await bank.draw("b", [{ ...drawOf(account, 2, 1n), refusals: 1 }]);
          const rows = await db.selectFrom("allowance_accounts").select("refusals").execute();
          assert.deepEqual(
            rows.map((row) => row.refusals),
            [9],
          );
        },
      );

      testOnBank(
        engine,
        "from a budget that does not refuse are granted beyond its limit, from a rate they are not",
        async ({ bank, db }) => {
          const budget = await insertAllowance(db, "alw_1", { limit_amount: 5n, mode: "shadow" });
          const rate = { meter: "tokens", window_kind: "minute", mode: "soft" } as const;
          const tokens = await insertAllowance(db, "alw_2", { limit_amount: 5n, ...rate });
          assert.equal(await grantedOf(bank.draw("a", [drawOf(budget, 1, 10n)])), 10n);
          assert.equal(await grantedOf(bank.draw("a", [drawOf(tokens, 1, 10n)])), 0n);
          assert.equal(await grantedOf(bank.draw("a", [drawOf(tokens, 2, 5n)])), 5n);
        },
      );

      testOnBank(
        engine,
        "from an allowance that is disabled or unknown are limited by nothing, and count",
        async ({ bank, db }) => {
          const account = await insertAllowance(db, "alw_1");
          await bank.draw("a", [drawOf(account, 1, 10n)]);
          await db.updateTable("allowances").set({ disabled_at_ms: 1 }).execute();
          const [unlimited] = await bank.draw("a", [drawOf(account, 2, 10n)]);
          assert.deepEqual([unlimited?.granted, unlimited?.standing], [0n, null]);
          const [unknown] = await bank.draw("a", [drawOf(accountOf("alw_nothing"), 1, 10n)]);
          assert.deepEqual([unknown?.granted, unknown?.standing], [0n, null]);
          await db.updateTable("allowances").set({ disabled_at_ms: null }).execute();
          assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 3, 10n)])), 10n);
        },
      );

      testOnBank(
        engine,
        "from a rate that is exhausted say when it will have drained, by the bank's time",
        async ({ bank, db, time }) => {
          const account = await insertAllowance(db, "alw_1", {
            meter: "requests",
            window_kind: "minute",
            limit_amount: 60n,
            burst_amount: 10n,
          });
          assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 1, 10n)])), 10n);
          const [refused] = await bank.draw("b", [drawOf(account, 1, 4n)]);
          assert.deepEqual([refused?.granted, refused?.retryAfterMs], [0n, 4000]);
          time.nowMs += 3999;
          assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 2, 4n)])), 0n);
          time.nowMs += 1;
          assert.equal(await grantedOf(bank.draw("b", [drawOf(account, 3, 4n)])), 4n);
          const [never] = await bank.draw("b", [drawOf(account, 4, 11n)]);
          assert.deepEqual([never?.granted, never?.retryAfterMs], [0n, null]);
        },
      );
    });

    describe("windows", () => {
      testOnBank(
        engine,
        "have accounts of their own, with the limit that an override gives them",
        async ({ bank, db }) => {
          await insertAllowance(db, "alw_1", { window_kind: "day" });
          await insertOverride(db, "alw_1", today, { limit: 50n });
          await insertOverride(db, "alw_1", today, { limit: 30n, revoked: true });
          await insertOverride(db, "alw_1", tomorrow, { limit: 90n });
          const account = accountOf("alw_1", today);
          assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 1, 51n)])), 0n);
          assert.deepEqual(await numbersOf(db, account), [50n, 0n, 0n, 0n]);
          const [row] = await db.selectFrom("allowance_accounts").selectAll().execute();
          assert.deepEqual([row?.window_start_ms, row?.window_end_ms], [today.startMs, today.endMs]);
        },
      );

      testOnBank(
        engine,
        "that are to come are not drawn from, by a process whose clock is ahead",
        async ({ bank, db, time }) => {
          await insertAllowance(db, "alw_1", { window_kind: "day" });
          const account = accountOf("alw_1", tomorrow);
          time.nowMs = today.endMs - 30_001;
          const [early] = await bank.draw("a", [drawOf(account, 1, 10n)]);
          assert.deepEqual(early?.granted, 0n);
          assert.deepEqual(early?.standing, { limit: 1000n, spent: 0n, granted: 0n, suspense: 0n });
          assert.deepEqual(await db.selectFrom("allowance_accounts").selectAll().execute(), []);
          time.nowMs += 1;
          assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 2, 10n)])), 10n);
        },
      );

      testOnBank(engine, "that have ended are drawn from only as long as requests last", async ({ bank, db, time }) => {
        await insertAllowance(db, "alw_1", { window_kind: "day" });
        const account = accountOf("alw_1", today);
        time.nowMs = today.endMs + 3_600_000 - 1;
        assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 1, 10n)])), 10n);
        time.nowMs += 1;
        const [late] = await bank.draw("a", [drawOf(account, 2, 10n)]);
        assert.deepEqual(late?.standing, { limit: 1000n, spent: 0n, granted: 10n, suspense: 0n });
        assert.equal(late?.granted, 0n);
        assert.equal(await grantedOf(bank.draw("a", [drawOf(account, 2, 10n)])), 0n);
      });
    });
  });
}
