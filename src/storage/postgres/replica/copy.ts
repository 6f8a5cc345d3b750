/**
 * Copies the control tables from the shared database to the machine's file: what changed since the generation that was
 * copied last, or everything.
 *
 * Invariants: the copy is at all times the shared tables as they were at one generation, and it does not go back to an
 * earlier one unless the shared database did. What is copied is one snapshot; what is written is one transaction, which
 * changes nothing if another process of this machine was faster.
 */
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../../schema.ts";

/** Each after those that it refers to. */
const tables = ["tenants", "projects", "api_keys", "allowances", "allowance_overrides", "cache_purges"] as const;

type TableName = (typeof tables)[number];

interface Row {
  readonly id: string;
}

interface Snapshot {
  readonly generation: number;
  /** Rows by table, in the order of `tables`. */
  readonly rows: readonly (readonly Row[])[];
}

/** Rows of one statement: with some twenty columns each, well below what SQLite lets a statement bind. */
const ROWS_AT_ONCE = 500;
/** Of one statement that reads. */
const ROWS_AT_A_TIME = 5000;

/** Rejects with `storage_unavailable`. */
export async function copyChanges(shared: Kysely<Database>, local: Kysely<Database>): Promise<void> {
  const [there, here] = await Promise.all([readGeneration(shared), readGeneration(local)]);
  if (there === here) return;
  // An older generation is that of a backup which was restored: what was copied since then is no longer true.
  if (there < here) return copyAll(shared, local);
  const snapshot = await takeSnapshot(shared, local, here);
  await local.transaction().execute(async (transaction) => {
    if ((await readGeneration(transaction)) < snapshot.generation) await write(transaction, snapshot, "changes");
  });
}

/** Rejects with `storage_unavailable`. */
export async function copyAll(shared: Kysely<Database>, local: Kysely<Database>): Promise<void> {
  const here = await readGeneration(local);
  const snapshot = await takeSnapshot(shared, local, 0);
  await local.transaction().execute(async (transaction) => {
    if ((await readGeneration(transaction)) === here) await write(transaction, snapshot, "everything");
  });
}

/** Whether both have the same rows, by their number and generations. Only of the same generation it means anything. */
export async function isSame(shared: Kysely<Database>, local: Kysely<Database>): Promise<boolean> {
  const [there, here] = await Promise.all([fingerprint(shared), fingerprint(local)]);
  return there === here;
}

async function fingerprint(db: Kysely<Database>): Promise<string> {
  return db
    .transaction()
    .setAccessMode("read only")
    .setIsolationLevel("repeatable read")
    .execute(async (transaction) => {
      const parts: unknown[] = [await readGeneration(transaction)];
      for (const table of tables) {
        const sums = await transaction
          .selectFrom(table)
          .select((row) => [row.fn.countAll<number>().as("count"), row.fn.sum<number | null>("generation").as("sum")])
          .executeTakeFirstOrThrow();
        parts.push(sums.count, sums.sum);
      }
      return parts.join();
    });
}

/** Of rows that were written after generation `since`, with the columns that the copy has. */
async function takeSnapshot(shared: Kysely<Database>, local: Kysely<Database>, since: number): Promise<Snapshot> {
  const columns = await Promise.all(tables.map((table) => columnsOf(local, table)));
  return shared
    .transaction()
    .setAccessMode("read only")
    .setIsolationLevel("repeatable read")
    .execute(async (transaction) => {
      const generation = await readGeneration(transaction);
      const rows: Row[][] = [];
      for (const [index, table] of tables.entries()) {
        rows.push(await readRows(transaction, table, columns[index] ?? [], since));
      }
      return { generation, rows };
    });
}

/** In portions, so that no statement takes long. */
async function readRows(
  transaction: Transaction<Database>,
  table: TableName,
  columns: readonly string[],
  since: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  const { dynamic } = transaction;
  for (;;) {
    const portion = await transaction
      .selectFrom(dynamic.table(table).as("copied"))
      .select(columns.map((column) => dynamic.ref<"id">(`copied.${column}`)))
      .where("copied.generation", ">", since)
      .where("copied.id", ">", rows.at(-1)?.id ?? "")
      .orderBy("copied.id")
      .limit(ROWS_AT_A_TIME)
      .execute();
    for (const row of portion) rows.push(row as Row);
    if (portion.length < ROWS_AT_A_TIME) return rows;
  }
}

/** Tables of a newer program may have more. */
async function columnsOf(local: Kysely<Database>, table: TableName): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(local);
  return rows.map((row) => row.name);
}

/**
 * Rows that change are taken out and put in again, because names may have moved from one row to another. References
 * between rows are checked at the end.
 */
async function write(
  transaction: Transaction<Database>,
  { generation, rows }: Snapshot,
  what: "changes" | "everything",
): Promise<void> {
  await sql`pragma defer_foreign_keys = on`.execute(transaction);
  for (const [index, table] of tables.entries()) {
    if (what === "everything") await transaction.deleteFrom(table).execute();
    else await remove(transaction, table, rows[index] ?? []);
  }
  for (const [index, table] of tables.entries()) {
    for (const some of chunks(rows[index] ?? [])) {
      await transaction
        .insertInto(table)
        .values(some as never)
        .execute();
    }
  }
  await transaction.updateTable("control_version").set({ generation }).execute();
}

async function remove(transaction: Transaction<Database>, table: TableName, rows: readonly Row[]): Promise<void> {
  for (const some of chunks(rows)) {
    const ids = some.map((row) => row.id);
    await transaction.deleteFrom(table).where("id", "in", ids).execute();
  }
}

export async function readGeneration(db: Kysely<Database>): Promise<number> {
  return (await db.selectFrom("control_version").select("generation").executeTakeFirstOrThrow()).generation;
}

function* chunks<Item>(items: readonly Item[]): Iterable<readonly Item[]> {
  for (let from = 0; from < items.length; from += ROWS_AT_ONCE) yield items.slice(from, from + ROWS_AT_ONCE);
}
