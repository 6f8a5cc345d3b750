/** How a machine begins: it knows its database again, and has a copy of the control tables, or cannot start. */
import type { Kysely } from "kysely";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Database } from "../../schema.ts";
import { reasonOf } from "../failures.ts";
import type { LocalTables } from "../local-tables.ts";
import { localFile } from "../local-tables.ts";
import { copyAll, copyChanges, isSame, readGeneration } from "./copy.ts";

/**
 * A file belongs to the first database that it meets: what is in its outbox must not reach another. Rejects with
 * `storage_unusable`.
 */
export async function recognise(local: Kysely<Database>, databaseId: string, dataDir: string): Promise<void> {
  const tables = local.withTables<LocalTables>();
  await tables
    .insertInto("shared_database")
    .values({ id: 1, database_id: databaseId })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  const known = await tables.selectFrom("shared_database").select("database_id").executeTakeFirstOrThrow();
  if (known.database_id === databaseId) return;
  throw new HeadgateError(
    "storage_unusable",
    `${localFile(dataDir)} belongs to another database than the one that \`storage.postgres\` names now: it may hold records that are not delivered. ` +
      "Name the former database, or another `storage.dataDir`.",
  );
}

/**
 * Brings the copy up to date. If the database cannot be reached the last copy has to do: resolves with why. Rejects with
 * `storage_unusable` if there is none, or time will not help.
 */
export async function copyAtStart(shared: Kysely<Database>, local: Kysely<Database>): Promise<HeadgateError | null> {
  try {
    await copyChanges(shared, local);
    // A backup that was restored may have the same generation and other rows.
    if (!(await isSame(shared, local))) await copyAll(shared, local);
    return null;
  } catch (error) {
    if (!(error instanceof HeadgateError) || error.code !== "storage_unavailable") throw error;
    if ((await readGeneration(local)) > 0) return error;
    throw new HeadgateError(
      "storage_unusable",
      `The shared database cannot be reached: ${reasonOf(error.cause)}. The first start on a machine needs it. ` +
        "Start it, or correct `storage.postgres`.",
      { cause: error },
    );
  }
}
