import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Pool } from "pg";
import { openTestPostgres, postgresMissing } from "../../../test/support/postgres.ts";
import { sampleRecord } from "../../../test/contract/samples.ts";
import { toNanoUsd } from "../../kernel/money.ts";
import { answersMigrations } from "../answers/file/schema.ts";
import { requestColumns, toRow } from "../columns.ts";
import { migrate as migrateSqlite } from "../sqlite/migrations.ts";
import { migrate, readSchema } from "./migrations.ts";
import { foundation } from "./migrations/0001-foundation.ts";
import { heldAmounts } from "./migrations/0002-held-amounts.ts";
import { createPool } from "./pool.ts";

const first = "CREATE TABLE a (x BIGINT)";
const second = "CREATE TABLE b (x BIGINT)";

/** Of an empty database. */
async function openPool(): Promise<AsyncDisposable & { readonly pool: Pool }> {
  const database = await openTestPostgres("bare");
  const pool = createPool({ url: database.url });
  return {
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function tablesOf(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' order by tablename",
  );
  return rows.map((row) => row.name);
}

test("applies what is missing, once, in order; the database keeps its id", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using opened = await openPool();
  await migrate(opened.pool, [first]);
  const before = await readSchema(opened.pool);
  await migrate(opened.pool, [first]);
  await migrate(opened.pool, [first, second]);
  assert.deepEqual(await tablesOf(opened.pool), ["a", "b", "headgate_schema"]);
  assert.deepEqual(await readSchema(opened.pool), { version: 2, databaseId: before.databaseId });
});

test("processes that start at the same time take turns", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using opened = await openPool();
  await Promise.all(Array.from({ length: 5 }, () => migrate(opened.pool, [first, second])));
  assert.equal((await readSchema(opened.pool)).version, 2);
});

test("a migration that fails leaves the database as it was", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using opened = await openPool();
  await migrate(opened.pool, [first]);
  await assert.rejects(migrate(opened.pool, [first, second, first]), /already exists/);
  assert.deepEqual(await tablesOf(opened.pool), ["a", "headgate_schema"]);
  assert.equal((await readSchema(opened.pool)).version, 1);
});

test("a database of a newer program is refused, naming the versions", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using opened = await openPool();
  await migrate(opened.pool, [first, second]);
  await assert.rejects(migrate(opened.pool, [first]), {
    code: "storage_unusable",
    message: /has schema version 2, this program knows versions up to 1/,
  });
});

test("every table has the columns that it has on SQLite, but for those of the machine's own file", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using opened = await openPool();
  await migrate(opened.pool);
  const { rows } = await opened.pool.query<Column>(
    `select table_name as "table", column_name as name, is_nullable = 'NO' as required, data_type as type
     from information_schema.columns where table_schema = 'public' and table_name <> 'headgate_schema'`,
  );
  assert.deepEqual(describeColumns(rows), describeColumns([...sqliteColumns(), ...sqliteColumns(answersMigrations)]));
});

interface Column {
  readonly table: string;
  readonly name: string;
  readonly required: boolean;
  readonly type: string;
}

const types: Readonly<Record<string, string>> = {
  INTEGER: "bigint",
  TEXT: "text",
  REAL: "double precision",
  BLOB: "bytea",
};

/** Of the store's file, or of another one's migrations. */
function sqliteColumns(steps?: readonly string[]): readonly Column[] {
  using connection = new DatabaseSync(":memory:");
  migrateSqlite(connection, "store.db", steps);
  const columns = connection.prepare(
    `select t.name as "table", c.name, c."notnull" or c.pk > 0 as required, c.type
     from pragma_table_list t join pragma_table_info(t.name) c
     where t.schema = 'main' and t.name not like 'sqlite_%' and t.name not in ('holds', 'open_holds', 'held_accounts', 'instances')`,
  );
  return columns.all().map((row) => ({
    table: String(row["table"]),
    name: String(row["name"]),
    required: row["required"] === 1,
    type: types[String(row["type"])] ?? "",
  }));
}

function describeColumns(columns: readonly Column[]): readonly string[] {
  return columns.map(({ table, name, required, type }) => `${table}.${name} ${type}${required ? "" : "?"}`).toSorted();
}

test("requests that a former release recorded, and records on, are in the sums of what was answered without a call", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using opened = await openPool();
  const { pool } = opened;
  const record = async (index: number, modelAsked: string, amount: bigint): Promise<void> => {
    const row = toRow(requestColumns, sampleRecord(`req_${index}`, { modelAsked, savedNanoUsd: toNanoUsd(amount) }));
    const names = Object.keys(row);
    const insert = `insert into requests (${names.join()}) values (${names.map((_, at) => `$${at + 1}`).join()})`;
    await pool.query(insert, Object.values(row));
  };
  await migrate(pool, [foundation, heldAmounts]);
  await record(0, "small", 5n);
  await record(1, "large", 2n ** 62n);
  await record(2, "large", 2n ** 62n);
  await migrate(pool);
  await record(3, "small", 7n);
  const { rows } = await pool.query(
    "select model_asked, requests::text, saved_nano_usd::text from reuse_hours order by model_asked",
  );
  assert.deepEqual(
    rows.map((row: object) => Object.values(row)),
    [
      ["large", "2", String(2n ** 63n - 1n)],
      ["small", "2", "12"],
    ],
  );
});
