import { sql } from "kysely";
import type { Transaction } from "kysely";
import type { Database } from "./schema.ts";

/** Part of every transaction that changes tenants, projects or keys: tells every process to forget what it cached of them. */
export async function raiseControlVersion(transaction: Transaction<Database>): Promise<void> {
  await transaction
    .updateTable("control_version")
    .set({ generation: sql<number>`generation + 1` })
    .execute();
}
