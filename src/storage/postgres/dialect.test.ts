import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kysely, sql } from "kysely";
import { openTestPostgres, postgresMissing } from "../../../test/support/postgres.ts";
import type { Database } from "../schema.ts";
import { createSharedDatabase, openPostgresDatabase, type SharedDatabase } from "./shared-database.ts";

interface Bench extends AsyncDisposable {
  readonly url: string;
  readonly shared: SharedDatabase;
  readonly db: Kysely<Database>;
  /** Columns whose counts were beyond a number's exact range. */
  readonly outOfRange: string[];
  /** Generations that were committed. */
  readonly changes: number[];
}

async function openBench(connectionsMax = 2): Promise<Bench> {
  const database = await openTestPostgres();
  const outOfRange: string[] = [];
  const changes: number[] = [];
  const shared = createSharedDatabase(
    { url: database.url, connectionsMax },
    {
      onOutOfRange: (column) => outOfRange.push(column),
      recognise: async () => {},
      async onControlChange() {
        const { generation } = await shared.work
          .selectFrom("control_version")
          .select("generation")
          .executeTakeFirstOrThrow();
        changes.push(generation);
      },
    },
  );
  return {
    url: database.url,
    shared,
    db: shared.db,
    outOfRange,
    changes,
    async [Symbol.asyncDispose]() {
      await shared[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

function tenant(id: string): Database["tenants"] {
  return { id, generation: 1, name: id, created_at_ms: 1, disabled_at_ms: null };
}

test("amounts are bigint, counts are numbers, sums and expressions included", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench();
  const { rows } = await sql`
    select 9007199254740993::bigint as cost_nano_usd, sum(x)::bigint as limit_amount, sum(x) as tokens, count(*) as requests,
      avg(x) as mean, 1.5::double precision as rate, null::bigint as nothing, 'text' as name
    from (values (1::bigint), (2::bigint)) as t (x)`.execute(bench.db);
  assert.deepEqual(rows, [
    {
      cost_nano_usd: 9_007_199_254_740_993n,
      limit_amount: 3n,
      tokens: 3,
      requests: 2,
      mean: 1.5,
      rate: 1.5,
      nothing: null,
      name: "text",
    },
  ]);
  await sql`select 9007199254740993::bigint as tokens`.execute(bench.db);
  assert.deepEqual(bench.outOfRange, ["tokens"]);
});

test("a change says how many rows it changed", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench();
  await bench.db
    .insertInto("tenants")
    .values([tenant("ten_1"), tenant("ten_2")])
    .execute();
  const updated = await bench.db.updateTable("tenants").set({ disabled_at_ms: 1 }).executeTakeFirstOrThrow();
  assert.equal(updated.numUpdatedRows, 2n);
  const removed = await bench.db.deleteFrom("tenants").where("id", "=", "ten_1").executeTakeFirstOrThrow();
  assert.equal(removed.numDeletedRows, 1n);
});

test("a control change is told when it is committed, and only then, before its maker goes on", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench();
  const raise = (db: Kysely<Database>): Promise<unknown> =>
    db
      .updateTable("control_version")
      .set({ generation: sql<number>`generation + 1` })
      .execute();
  await bench.db.transaction().execute(raise);
  assert.deepEqual(bench.changes, [2]);
  await assert.rejects(
    bench.db.transaction().execute(async (transaction) => {
      await raise(transaction);
      throw new Error("thought better of it");
    }),
    /thought better/,
  );
  await bench.db.selectFrom("control_version").selectAll().execute();
  assert.deepEqual(bench.changes, [2]);
});

test("many who change something at once do not wait for each other's connections", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench(2);
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      bench.db.transaction().execute(async (transaction) => {
        await transaction
          .updateTable("control_version")
          .set({ generation: index + 2 })
          .execute();
      }),
    ),
  );
  assert.equal(bench.changes.length, 10);
});

test("a transaction whose error was passed over is not taken for committed", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench();
  await bench.db.insertInto("tenants").values(tenant("ten_1")).execute();
  await assert.rejects(
    bench.db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("tenants")
        .values(tenant("ten_1"))
        .execute()
        .catch(() => {});
    }),
    /rolled back/,
  );
  await bench.db.selectFrom("tenants").selectAll().execute();
});

test("rows are streamed in portions, alone and within a transaction, and the connection is free afterwards", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench(1);
  const all = Array.from({ length: 25 }, (_, index) => tenant(`ten_${String(index).padStart(2, "0")}`));
  await bench.db.insertInto("tenants").values(all).execute();
  const read = async (db: Kysely<Database>): Promise<readonly string[]> => {
    const seen: string[] = [];
    const named = db.selectFrom("tenants").where("id", "<>", "ten_24").select("id").orderBy("id");
    for await (const { id } of named.stream(10)) seen.push(id);
    return seen;
  };
  const expected = all.slice(0, 24).map(({ id }) => id);
  assert.deepEqual(await read(bench.db), expected);
  assert.deepEqual(await bench.db.transaction().execute(read), expected);
  for await (const { id } of bench.db.selectFrom("tenants").select("id").orderBy("id").stream(5)) {
    if (id === "ten_03") break;
  }
  assert.deepEqual(await read(bench.db), expected);
});

test("text is sorted byte by byte, as on SQLite", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench();
  const names = ["a", "B", "_", "ä", "b", "A"];
  await bench.db
    .insertInto("tenants")
    .values(names.map((name) => tenant(name)))
    .execute();
  const rows = await bench.db.selectFrom("tenants").select("name").orderBy("name").execute();
  assert.deepEqual(
    rows.map((row) => row.name),
    ["A", "B", "_", "a", "b", "ä"],
  );
});

test("a commit survives a crash of the server even where the database does not ask for it", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using bench = await openBench();
  const database = sql.id(new URL(bench.url).pathname.slice(1));
  for (const [chosen, expected] of [
    ["off", "on"],
    ["local", "local"],
  ] as const) {
    await sql`alter database ${database} set synchronous_commit = ${sql.raw(chosen)}`.execute(bench.db);
    const db = openPostgresDatabase({ url: bench.url });
    const { rows } = await sql`select current_setting('synchronous_commit') as kind`.execute(db);
    assert.deepEqual(rows, [{ kind: expected }]);
    await db.destroy();
  }
});
