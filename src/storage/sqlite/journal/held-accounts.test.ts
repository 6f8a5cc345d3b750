import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import type { HeldAmount } from "../../escrow/bank.ts";
import { parseHeldAmounts } from "../../held-columns.ts";
import { migrate } from "../migrations.ts";
import { HeldAccounts } from "./held-accounts.ts";

interface Books extends Disposable {
  readonly accounts: HeldAccounts;
  readonly connection: DatabaseSync;
  /** A hold of it all. Only what this is about has values. */
  hold(attemptId: string, held: readonly HeldAmount[]): void;
  held(attemptId: string): readonly HeldAmount[];
  /** What has a number. */
  known(): readonly string[];
}

function openBooks(numbersMax?: number): Books {
  const connection = new DatabaseSync(":memory:");
  migrate(connection, ":memory:");
  connection.exec("INSERT INTO instances VALUES ('ins_1', 0)");
  const columns = connection.prepare("SELECT name, type FROM pragma_table_info('holds')").all();
  const blank = columns.map(({ name, type }) => [String(name), type === "TEXT" ? "" : 0] as const);
  const names = blank.map(([name]) => name);
  const insert = connection.prepare(
    `INSERT INTO holds (${names.join()}) VALUES (${names.map((name) => `$${name}`).join()})`,
  );
  const accounts = new HeldAccounts(connection, "ins_1", numbersMax);
  return {
    accounts,
    connection,
    hold(attemptId, held) {
      const own = { attempt_id: attemptId, instance_id: "ins_1", held_numbers: accounts.encode(held) };
      insert.run({ ...Object.fromEntries(blank), ...own });
    },
    held(attemptId) {
      const row = connection.prepare("SELECT held_amounts FROM open_holds WHERE attempt_id = ?").get(attemptId);
      return parseHeldAmounts(String(row?.["held_amounts"]));
    },
    known() {
      const rows = connection.prepare("SELECT account_id FROM held_accounts ORDER BY number").all();
      return rows.map((row) => String(row["account_id"]));
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

const one = (accountId: string): readonly HeldAmount[] => [{ ownerId: "own_1", accountId, amount: 7n }];

test("what a hold holds of accounts is read as it was written, whatever the accounts are called", () => {
  using books = openBooks();
  const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  const accountId = fc.string({ unit: fc.constantFrom("a", "|", '"', "{", "\\", "ä", "0") });
  const held = fc.record({ ownerId: fc.constantFrom("own_1", "own_2"), accountId, amount }, { noNullPrototype: true });
  let attempts = 0;
  fc.assert(
    fc.property(fc.array(held), (amounts) => {
      const attemptId = `att_${attempts++}`;
      books.hold(attemptId, amounts);
      assert.deepEqual(books.held(attemptId), amounts);
    }),
  );
});

test("an account gets its number once", () => {
  using books = openBooks();
  books.hold("att_1", [...one("alw_1"), ...one("alw_2")]);
  books.accounts.committed();
  books.hold("att_2", [...one("alw_2"), ...one("alw_1")]);
  assert.deepEqual(books.known(), ["alw_1", "alw_2"]);
});

test("a number that was given out in a transaction that is rolled back is not used again", () => {
  using books = openBooks();
  books.hold("att_1", one("alw_1"));
  books.accounts.committed();
  books.connection.exec("BEGIN");
  books.hold("att_2", [...one("alw_1"), ...one("alw_2")]);
  books.connection.exec("ROLLBACK");
  books.accounts.discard();
  books.hold("att_3", [...one("alw_2"), ...one("alw_1")]);
  assert.deepEqual(books.held("att_3"), [...one("alw_2"), ...one("alw_1")]);
  assert.deepEqual(books.known(), ["alw_1", "alw_2"]);
});

test("when many are known, those that no hold stands on are cleared away", () => {
  using books = openBooks(3);
  for (const name of ["1", "2", "3"]) books.hold(`att_${name}`, one(`alw_${name}`));
  books.accounts.committed();
  books.connection.exec("DELETE FROM holds WHERE attempt_id <> 'att_2'");
  books.hold("att_4", one("alw_4"));
  assert.deepEqual(books.known(), ["alw_2", "alw_4"]);
  books.hold("att_5", one("alw_2"));
  for (const [attemptId, accountId] of Object.entries({ att_2: "alw_2", att_4: "alw_4", att_5: "alw_2" })) {
    assert.deepEqual(books.held(attemptId), one(accountId));
  }
});

test("numbers end with their process", () => {
  using books = openBooks();
  books.hold("att_1", one("alw_1"));
  books.connection.exec("DELETE FROM instances WHERE id = 'ins_1'");
  assert.deepEqual(books.known(), []);
});
