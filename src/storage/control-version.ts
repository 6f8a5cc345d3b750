/**
 * Changes to the control tables: tenants, projects, keys, allowances and their overrides. Each is one transaction with
 * a generation of its own, which every row that it writes carries.
 *
 * Invariant: generations are committed in their order. Raising comes first and locks the one row until the commit, so
 * whoever has read a generation has missed no row of an earlier one.
 */
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "./schema.ts";

/** Runs a change. `act` writes the generation that it is given into every row of a control table that it writes. */
export function changeControl<Result>(
  db: Kysely<Database>,
  act: (transaction: Transaction<Database>, generation: number) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute(async (transaction) => act(transaction, await raiseControlVersion(transaction)));
}

/** Tells every process to forget what it cached of the control tables. Resolves with the new generation. */
async function raiseControlVersion(transaction: Transaction<Database>): Promise<number> {
  const { generation } = await transaction
    .updateTable("control_version")
    .set({ generation: sql<number>`generation + 1` })
    .returning("generation")
    .executeTakeFirstOrThrow();
  return generation;
}
