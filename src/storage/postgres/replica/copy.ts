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
const tables = ["tenants", "projects", "api_keys", "allowances", "allowance_overrides"] as const;

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

/** Rejects with `storage_unavailable`. */
export async function copyChanges(shared: Kysely<Database>, local: Kysely<Database>): Promise<void> {
  const [there, here] = await Promise.all([readGeneration(shared), readGeneration(local)]);
  if (there === here) return;
  // An older generation is that of a backup which was restored: what was copied since then is no longer true.
  if (there < here) return copyAll(shared, local);
  const snapshot = await takeSnapshot(shared, here);
  await local.transaction().execute(async (transaction) => {
    if ((await readGeneration(transaction)) < snapshot.generation) await write(transaction, snapshot, "changes");
  });
}

/** Rejects with `storage_unavailable`. */
export async function copyAll(shared: Kysely<Database>, local: Kysely<Database>): Promise<void> {
  const snapshot = await takeSnapshot(shared, 0);
  await local.transaction().execute((transaction) => write(transaction, snapshot, "everything"));
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

/** Of rows that were written after generation `since`. */
function takeSnapshot(shared: Kysely<Database>, since: number): Promise<Snapshot> {
  return shared
    .transaction()
    .setAccessMode("read only")
    .setIsolationLevel("repeatable read")
    .execute(async (transaction) => {
      const generation = await readGeneration(transaction);
      const rows: Row[][] = [];
      for (const table of tables) {
        rows.push(await transaction.selectFrom(table).selectAll().where("generation", ">", since).execute());
      }
      return { generation, rows };
    });
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
