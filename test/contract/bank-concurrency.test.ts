import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { AccountKey } from "../../src/storage/escrow/bank.ts";
import { applyLimit } from "../../src/storage/escrow/limit-change.ts";
import { type BankOnStore, leaseMs, openBank } from "./bank-place.ts";
import { accountOf, drawOf, insertAllowance } from "./bank-samples.ts";
import { drawAllOf, numbersOf, settleMoves } from "./bank-steps.ts";
import { engines } from "./engines.ts";

const drawScript = fileURLToPath(new URL("./children/draw.ts", import.meta.url));
const run = promisify(execFile);
const owners = ["own_1", "own_2", "own_3", "own_4"] as const;

for (const engine of engines) {
  describe(`bank under concurrency on ${engine.name}`, () => {
    test("processes that draw from one account at the same time get all of it and no more", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      const account = await insertAllowance(banks.db, "alw_1", { limit_amount: 3000n });
      const options = JSON.stringify(place.options);
      const children = owners.map((id) => run(process.execPath, [drawScript, options, id, JSON.stringify(account)]));
      const settled = (await Promise.all(children)).map(({ stdout }) => BigInt(stdout));
      assert.equal(
        settled.reduce((sum, each) => sum + each),
        3000n,
      );
      assert.deepEqual(await numbersOf(banks.db, account), [3000n, 3000n, 0n, 0n]);
    });

    test("connections that draw from one account at the same time get all of it and no more", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      const account = await insertAllowance(banks.db, "alw_1", { limit_amount: 1000n });
      const settled = await Promise.all(owners.map((owner) => drawAllOf(banks.openAnother(), owner, account)));
      assert.equal(
        settled.reduce((sum, each) => sum + each),
        1000n,
      );
      assert.deepEqual(await numbersOf(banks.db, account), [1000n, 1000n, 0n, 0n]);
    });

    test("operations on many accounts at the same time all succeed, and the books add up", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      const accounts: AccountKey[] = [];
      for (const id of ["alw_a", "alw_b", "alw_c"]) accounts.push(await insertAllowance(banks.db, id));
      const settled = await Promise.all([
        ...owners.map((owner, index) =>
          trade(banks.openAnother(), owner, index % 2 === 0 ? accounts : accounts.toReversed()),
        ),
        changeLimits(banks.openAnother(), accounts),
      ]);
      const total = settled.reduce((sum, each) => sum + each);
      let spent = 0n;
      for (const account of accounts) {
        const [, spentHere = 0n, granted] = await numbersOf(banks.db, account);
        spent += spentHere;
        const grants = await banks.db
          .selectFrom("allowance_grants")
          .select((row) => row.fn.sum<bigint>("amount").as("amount"))
          .where("account_id", "=", account.accountId)
          .executeTakeFirstOrThrow();
        assert.equal(granted, grants.amount);
      }
      assert.equal(spent, total);
    });

    test("settlements, draws and changes that make the same accounts at the same time all succeed", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      const allowances: AccountKey[] = [];
      for (const id of ["alw_a", "alw_b", "alw_c"]) {
        allowances.push(await insertAllowance(banks.db, id, { mode: "soft" }));
      }
      const rounds = Array.from({ length: 6 }, (_, round) =>
        allowances.map(({ allowanceId }) => accountOf(allowanceId, undefined, `user ${round}`)),
      );
      await Promise.all([
        ...owners.map((ownerId, index) => {
          const { db } = banks.openAnother();
          return settleAll(db, ownerId, index % 2 === 0 ? rounds : rounds.map((accounts) => accounts.toReversed()));
        }),
        drawEach(banks.openAnother(), rounds),
        changeLimits(banks.openAnother(), allowances),
      ]);
      for (const account of rounds.flat()) {
        assert.equal((await numbersOf(banks.db, account))[1], 7n * BigInt(owners.length));
      }
    });

    test("of several that reap at the same time one fences each owner", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      const account = await insertAllowance(banks.db, "alw_1");
      for (const owner of owners) {
        await banks.bank.register(owner, "ins_1", leaseMs);
        await banks.bank.draw(owner, [{ account, sequence: 1, need: 10n, want: 10n, refusals: 0 }]);
      }
      banks.time.nowMs += leaseMs + 1;
      const reapers = [banks.bank, banks.openAnother().bank, banks.openAnother().bank];
      const reports = await Promise.all(reapers.map((bank) => bank.reap()));
      assert.equal(
        reports.reduce((sum, report) => sum + report.owners, 0),
        owners.length,
      );
      assert.deepEqual(await numbersOf(banks.db, account), [1000n, 0n, 0n, 40n]);
    });

    test("an owner that extends its lease in time is not fenced by who saw it ended", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      const many = Array.from({ length: 50 }, (_, index) => `own_${index}`);
      for (const owner of many) await banks.bank.register(owner, "ins_1", leaseMs);
      banks.time.nowMs += leaseMs + 1;
      const { bank } = banks.openAnother();
      const renewals = many.toReversed().map((owner) => bank.renew(owner, leaseMs));
      const [reaped, ...states] = await Promise.all([banks.bank.reap(), ...renewals]);
      const alive = states.filter((state) => state.alive).length;
      assert.equal(alive + reaped.owners, many.length);
      const living = await banks.db.selectFrom("allowance_owners").select("owner_id").where("fenced", "=", 0).execute();
      assert.equal(living.length, alive);
    });
  });
}

/** Settles what nobody had been granted, of all accounts of a round at once. */
async function settleAll(
  db: BankOnStore["db"],
  ownerId: string,
  rounds: readonly (readonly AccountKey[])[],
): Promise<bigint> {
  for (const accounts of rounds) {
    const moves = accounts.map(({ accountId }) => ({ ownerId, accountId, fromGrant: 0n, overdraft: 7n }));
    await settleMoves(db, moves);
  }
  return 0n;
}

async function drawEach({ bank }: BankOnStore, rounds: readonly (readonly AccountKey[])[]): Promise<bigint> {
  await bank.register("own_drawing", "ins_1", leaseMs);
  for (const accounts of rounds)
    await bank.draw(
      "own_drawing",
      accounts.map((account) => drawOf(account, 1, 5n)),
    );
  return 0n;
}

/** Draws from all accounts at once, asks others for theirs, settles and gives back. Resolves with what it has settled. */
async function trade({ db, bank }: BankOnStore, ownerId: string, accounts: readonly AccountKey[]): Promise<bigint> {
  await bank.register(ownerId, "ins_1", leaseMs);
  const accountIds = accounts.map((account) => account.accountId);
  let settled = 0n;
  for (let sequence = 1; sequence < 40; sequence += 2) {
    const drawn = await bank.draw(
      ownerId,
      accounts.map((account) => ({ account, sequence, need: 5n, want: 20n, refusals: 0 })),
    );
    await bank.recall(ownerId, accountIds);
    const moves = drawn.map(({ accountId, granted }) => ({
      ownerId,
      accountId,
      fromGrant: granted / 2n,
      overdraft: 0n,
    }));
    await settleMoves(db, moves);
    for (const move of moves) settled += move.fromGrant;
    const rest = drawn.map(({ accountId, granted }) => ({
      accountId,
      sequence: sequence + 1,
      refusals: 0,
      amount: granted / 4n,
    }));
    await bank.giveBack(ownerId, rest);
    const { alive } = await bank.renew(ownerId, leaseMs);
    assert.ok(alive);
  }
  return settled;
}

async function changeLimits({ db }: Pick<BankOnStore, "db">, accounts: readonly AccountKey[]): Promise<bigint> {
  for (let change = 0; change < 20; change++) {
    for (const { allowanceId } of accounts) {
      await db.transaction().execute((transaction) => applyLimit(transaction, allowanceId, 0));
    }
  }
  return 0n;
}
