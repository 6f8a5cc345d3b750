import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createStatementCache } from "./statement-cache.ts";

test("a statement is prepared once, follows changes of the schema, and is made anew after too many others", () => {
  using connection = new DatabaseSync(":memory:");
  connection.exec("CREATE TABLE things (id INTEGER)");
  const cache = createStatementCache(connection);
  const select = cache.find("SELECT * FROM things");
  assert.equal(cache.find("SELECT * FROM things"), select);
  assert.equal(select.returnsRows, true);
  assert.equal(cache.find("INSERT INTO things VALUES (?)").returnsRows, false);
  cache.find("INSERT INTO things VALUES (?)").statement.run(1);
  connection.exec("ALTER TABLE things ADD COLUMN name TEXT");
  assert.deepEqual(Object.keys(select.statement.get() ?? {}), ["id", "name"]);
  for (let length = 0; length < 1_000; length++) cache.find(`SELECT ${length}`);
  assert.notEqual(cache.find("SELECT * FROM things"), select);
});
