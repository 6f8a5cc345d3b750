/** Changes of the limit of an allowance that has many accounts. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import type { Kysely, KyselyPlugin } from "kysely";
import type { AccountKey, Bank } from "../../src/storage/escrow/bank.ts";
import { applyLimit } from "../../src/storage/escrow/limit-change.ts";
import type { Database } from "../../src/storage/schema.ts";
import { type BankOnStore, leaseMs, startMs, testOnBank } from "./bank-place.ts";
import { accountOf, type CalendarWindow, dayMs, drawOf, insertAllowance, today, tomorrow } from "./bank-samples.ts";
import { changeLimit, insertOverride, numbersOf, settleMoves } from "./bank-steps.ts";
import { engines } from "./engines.ts";

const dailyEach = { scope: "end-user", window_kind: "day" } as const;
const yesterday: CalendarWindow = { startMs: today.startMs - dayMs, endMs: today.startMs };
/** As late as a process may think it tomorrow already, and early enough that today's accounts are drawn from. */
const midnightMs = today.endMs - 1000;

function usersOf(allowanceId: string, count: number, window: CalendarWindow = today): readonly AccountKey[] {
  return Array.from({ length: count }, (_, index) => accountOf(allowanceId, window, `user-${index}`));
}

async function drawFrom(bank: Bank, ownerId: string, accounts: readonly AccountKey[], amount: bigint): Promise<void> {
  const drawn = await bank.draw(
    ownerId,
    accounts.map((account) => drawOf(account, 1, amount)),
  );
  assert.ok(drawn.every(({ granted }) => granted === amount));
}

/** How many accounts have each limit. */
async function limitsOf(db: Kysely<Database>, allowanceId: string): Promise<ReadonlyMap<bigint, number>> {
  const rows = await db
    .selectFrom("allowance_accounts")
    .select("limit_amount")
    .where("allowance_id", "=", allowanceId)
    .execute();
  const counts = new Map<bigint, number>();
  for (const { limit_amount } of rows) counts.set(limit_amount, (counts.get(limit_amount) ?? 0) + 1);
  return counts;
}

/** How many grants are recalled, and how many are not. */
async function recallsOf(db: Kysely<Database>): Promise<readonly [number, number]> {
  const rows = await db.selectFrom("allowance_grants").select("recalled").execute();
  const recalled = rows.filter((row) => row.recalled === 1).length;
  return [recalled, rows.length - recalled];
}

/** How many statements a change takes. */
async function statementsOf(db: Kysely<Database>, allowanceId: string): Promise<number> {
  let statements = 0;
  const counter: KyselyPlugin = {
    transformQuery: ({ node }) => {
      statements++;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await db.transaction().execute((transaction) => applyLimit(transaction.withPlugin(counter), allowanceId, startMs));
  return statements;
}

for (const engine of engines) {
  describe(`a change of the limit of many accounts on ${engine.name}`, () => {
    testOnBank(engine, "takes as many statements for a thousand accounts as for one", async ({ db, bank }) => {
      for (const [id, count] of [
        ["alw_1", 1],
        ["alw_2", 1000],
      ] as const) {
        await insertAllowance(db, id, dailyEach);
        await drawFrom(bank, "a", usersOf(id, count), 10n);
      }
      const statements = await statementsOf(db, "alw_1");
      assert.ok(statements > 0);
      assert.equal(await statementsOf(db, "alw_2"), statements);
    });

    testOnBank(engine, "reaches all that are open, each with the limit of its window, and no other", async (banks) => {
      const { db, bank, time } = banks;
      for (const id of ["alw_1", "alw_2"]) await insertAllowance(db, id, dailyEach);
      time.nowMs = yesterday.endMs - 1000;
      await bank.renew("a", 3 * dayMs);
      await drawFrom(bank, "a", [...usersOf("alw_1", 2, yesterday), ...usersOf("alw_2", 3, yesterday)], 10n);
      time.nowMs = midnightMs;
      for (const window of [today, tomorrow]) await drawFrom(bank, "a", usersOf("alw_1", 250, window), 10n);
      await drawFrom(bank, "a", usersOf("alw_2", 3), 10n);
      await insertOverride(db, "alw_1", tomorrow, { limit: 90n });

      await changeLimit(db, "alw_1", 500n, midnightMs);
      assert.deepEqual(
        await limitsOf(db, "alw_1"),
        new Map([
          [1000n, 2],
          [500n, 250],
          [90n, 250],
        ]),
      );
      assert.deepEqual(await limitsOf(db, "alw_2"), new Map([[1000n, 6]]));
      assert.deepEqual(await recallsOf(db), [500, 8]);
    });

    testOnBank(engine, "beneath what is spent, granted and in suspense changes nothing of that", async (banks) => {
      const { db, bank, time } = banks;
      await insertAllowance(db, "alw_1", dailyEach);
      const accounts = usersOf("alw_1", 250);
      for (const owner of ["a", "b"]) await drawFrom(bank, owner, accounts, 100n);
      await settleMoves(
        db,
        accounts.map(({ accountId }) => ({ ownerId: "a", accountId, fromGrant: 40n, overdraft: 0n })),
      );
      time.nowMs += leaseMs - 1;
      await bank.renew("b", leaseMs);
      time.nowMs += 2;
      assert.deepEqual(await bank.reap(), { owners: 1, accounts: accounts.length });

      await changeLimit(db, "alw_1", 7n, time.nowMs);
      for (const account of accounts) assert.deepEqual(await numbersOf(db, account), [7n, 40n, 100n, 60n]);
      assert.deepEqual(await recallsOf(db), [250, 250], "what is in suspense is nobody's to give back");
    });

    testOnBank(engine, "of no account, or of no allowance, is none", async ({ db }) => {
      await insertAllowance(db, "alw_1", dailyEach);
      await changeLimit(db, "alw_1", 5n, startMs);
      await changeLimit(db, "alw_none", 5n, startMs);
      assert.deepEqual(await limitsOf(db, "alw_1"), new Map());
    });

    testOnBank(engine, "goes on beside draws and moves without a deadlock, and the books add up", async (banks) => {
      const { db, time } = banks;
      time.nowMs = midnightMs;
      await insertAllowance(db, "alw_1", { ...dailyEach, limit_amount: 1_000_000n });
      const accounts = [today, tomorrow].flatMap((window) => usersOf("alw_1", 40, window));
      const traders = ["own_1", "own_2", "own_3"].map((owner, index) =>
        trade(banks.openAnother(), owner, rotated(accounts, index * 27)),
      );
      const changers = [1, 2].map((first) => changeOften(banks.openAnother().db, BigInt(first)));
      const settled = (await Promise.all([...traders, ...changers])).reduce((sum, each) => sum + each);

      const rows = await db.selectFrom("allowance_accounts").selectAll().execute();
      assert.equal(
        rows.reduce((sum, row) => sum + row.spent_amount, 0n),
        settled,
      );
      const { limit_amount } = await db.selectFrom("allowances").select("limit_amount").executeTakeFirstOrThrow();
      for (const row of rows) {
        assert.equal(row.limit_amount, limit_amount);
        const grants = await db
          .selectFrom("allowance_grants")
          .select((grant) => grant.fn.sum<bigint>("amount").as("amount"))
          .where("account_id", "=", row.account_id)
          .executeTakeFirstOrThrow();
        assert.equal(row.granted_amount, grants.amount);
      }
    });
  });
}

/** In another order, with others in each piece. */
function rotated(accounts: readonly AccountKey[], by: number): readonly AccountKey[] {
  return [...accounts.slice(by), ...accounts.slice(0, by)].toReversed();
}

/** Draws from pieces of the accounts and settles half of each grant. Resolves with what it has settled. */
async function trade({ db, bank }: BankOnStore, ownerId: string, accounts: readonly AccountKey[]): Promise<bigint> {
  await bank.register(ownerId, "ins_1", leaseMs);
  let settled = 0n;
  for (let sequence = 1; sequence <= 6; sequence++) {
    for (let from = 0; from < accounts.length; from += 20) {
      const some = accounts.slice(from, from + 20);
      const drawn = await bank.draw(
        ownerId,
        some.map((account) => drawOf(account, sequence, 10n)),
      );
      const moves = drawn.map(({ accountId, granted }) => ({
        ownerId,
        accountId,
        fromGrant: granted / 2n,
        overdraft: 0n,
      }));
      await settleMoves(db, moves);
      for (const { fromGrant } of moves) settled += fromGrant;
    }
  }
  return settled;
}

async function changeOften(db: Kysely<Database>, first: bigint): Promise<bigint> {
  for (let limit = first; limit < 60n; limit += 2n) await changeLimit(db, "alw_1", 1_000_000n + limit, midnightMs);
  return 0n;
}
