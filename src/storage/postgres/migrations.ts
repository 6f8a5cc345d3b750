/**
 * Brings the shared database to this program's schema, forward only. The one row of `headgate_schema` says how many
 * migrations were applied, and has an id by which a machine knows its database again. Each run is one transaction under a lock of the server's, so that of several processes that
 * start at once one migrates and the others find it done.
 */
import { DatabaseError } from "pg";
import type { ClientBase, Pool } from "pg";
import { HeadgateError } from "../../kernel/errors.ts";
import { foundation } from "./migrations/0001-foundation.ts";
import { heldAmounts } from "./migrations/0002-held-amounts.ts";
import { reuseHours } from "./migrations/0003-reuse-hours.ts";

/**
 * In order; the position is the version. Never edited or reordered after a release: append. A column that is added has
 * a default, because processes of the former release go on writing.
 */
const migrations: readonly string[] = [foundation, heldAmounts, reuseHours];

/** Of this program. */
export const schemaVersion: number = migrations.length;

/** Of the advisory lock: any number that nobody else takes in this database. */
const LOCK_KEY = 7_482_301_956;

const UNDEFINED_TABLE = "42P01";

/** Throws `storage_unusable` for a database of a newer program, and what the driver throws. */
export async function migrate(pool: Pool, steps: readonly string[] = migrations): Promise<void> {
  if ((await appliedCount(pool, steps)) === steps.length) return;
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock($1)", [LOCK_KEY]);
    await client.query(
      "create table if not exists headgate_schema (version integer not null, database_id text not null)",
    );
    const applied = await appliedCount(client, steps);
    for (const step of steps.slice(applied)) await client.query(step);
    if (applied === 0) await client.query("insert into headgate_schema values (0, gen_random_uuid()::text)");
    await client.query("update headgate_schema set version = $1", [steps.length]);
    await client.query("commit");
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function appliedCount(connection: Pool | ClientBase, steps: readonly string[]): Promise<number> {
  const applied = (await readSchema(connection)).version;
  if (applied > steps.length) {
    throw new HeadgateError(
      "storage_unusable",
      `The shared database has schema version ${applied}, this program knows versions up to ${steps.length}. ` +
        "Run the newer program, or restore a backup made before the upgrade.",
    );
  }
  return applied;
}

export interface SchemaState {
  /** 0: no gateway has used the database yet. */
  readonly version: number;
  /** Given once, and kept by every copy and backup. */
  readonly databaseId: string;
}

export async function readSchema(connection: Pool | ClientBase): Promise<SchemaState> {
  const nothing = { version: 0, databaseId: "" };
  try {
    const { rows } = await connection.query<SchemaState>(
      'select version, database_id as "databaseId" from headgate_schema',
    );
    return rows[0] ?? nothing;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return nothing;
    throw error;
  }
}
