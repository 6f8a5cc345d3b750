import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { migrate } from "./migrations.ts";

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
