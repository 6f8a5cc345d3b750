import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sampleRecord } from "../../../test/contract/samples.ts";
import { toNanoUsd } from "../../kernel/money.ts";
import { requestColumns, toRow } from "../columns.ts";
import { migrate } from "./migrations.ts";
import { foundation } from "./migrations/0001-foundation.ts";
import { heldAmounts } from "./migrations/0002-held-amounts.ts";

const first = "CREATE TABLE a (x INTEGER) STRICT";
const second = "CREATE TABLE b (x INTEGER) STRICT";

function tables(connection: DatabaseSync): unknown[] {
  return connection
    .prepare("SELECT name FROM sqlite_schema ORDER BY name")
    .all()
    .map((row) => row["name"]);
}

test("applies what is missing, once, in order", () => {
  using connection = new DatabaseSync(":memory:");
  migrate(connection, "store.db", [first]);
  migrate(connection, "store.db", [first]);
  migrate(connection, "store.db", [first, second]);
  assert.deepEqual(tables(connection), ["a", "b"]);
});

test("a migration that fails leaves the file as it was", () => {
  using connection = new DatabaseSync(":memory:");
  migrate(connection, "store.db", [first]);
  assert.throws(() => migrate(connection, "store.db", [first, second, "CREATE TABLE a (x INTEGER)"]), /already exists/);
  assert.deepEqual(tables(connection), ["a"]);
  migrate(connection, "store.db", [first, second]);
  assert.deepEqual(tables(connection), ["a", "b"]);
});

test("a file of a newer program is refused, naming file and versions", () => {
  using connection = new DatabaseSync(":memory:");
  migrate(connection, "/data/headgate.db", [first, second]);
  assert.throws(() => migrate(connection, "/data/headgate.db", [first]), {
    code: "storage_unusable",
    message: /\/data\/headgate\.db has schema version 2, this program knows versions up to 1/,
  });
});

test("the tables keep to their declared types", () => {
  using connection = new DatabaseSync(":memory:");
  migrate(connection, "store.db");
  const loose = connection
    .prepare(
      `SELECT name FROM pragma_table_list
       WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND strict = 0`,
    )
    .all();
  assert.deepEqual(loose, []);
});

test("requests that a former release recorded are in the sums of what was answered without a call", () => {
  using connection = new DatabaseSync(":memory:");
  migrate(connection, "store.db", [foundation, heldAmounts]);
  const saved = [5n, 7n, 2n ** 62n, 2n ** 62n];
  for (const [index, amount] of saved.entries()) {
    const modelAsked = index < 2 ? "small" : "large";
    const row = toRow(requestColumns, sampleRecord(`req_${index}`, { modelAsked, savedNanoUsd: toNanoUsd(amount) }));
    const names = Object.keys(row);
    const insert = `INSERT INTO requests (${names.join()}) VALUES (${names.map(() => "?").join()})`;
    connection.prepare(insert).run(...Object.values(row));
  }
  migrate(connection, "store.db");
  const sums = connection.prepare("SELECT model_asked, requests, saved_nano_usd FROM reuse_hours ORDER BY model_asked");
  sums.setReadBigInts(true);
  assert.deepEqual(
    sums.all().map((row) => Object.values(row)),
    [
      ["large", 2n, 2n ** 63n - 1n],
      ["small", 2n, 12n],
    ],
  );
});
