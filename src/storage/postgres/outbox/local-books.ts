/** What the machine's file says about its outbox, beside what is in it. */
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../../schema.ts";
import { reasonOf } from "../failures.ts";
import type { LocalTables } from "../local-tables.ts";

/** A dead process whose outbox ends at `sequence`. */
export interface Departed {
  readonly id: string;
  readonly sequence: number;
}

export async function countUndelivered(db: Kysely<Database>, instanceId: string): Promise<number> {
  const { count } = await db
    .withTables<LocalTables>()
    .selectFrom("outbox")
    .where("instance_id", "=", instanceId)
    .select((row) => row.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

/** 0 when nothing is there. */
export async function lastSequence(db: Kysely<Database>, instanceId: string): Promise<number> {
  const { last } = await db
    .withTables<LocalTables>()
    .selectFrom("outbox")
    .where("instance_id", "=", instanceId)
    .select((row) => row.fn.max("sequence").as("last"))
    .executeTakeFirstOrThrow();
  return last ?? 0;
}

/** Leaves everything of a dead process to a living one, at once. For recovery, in the transaction that ends the dead one. */
export async function adopt(transaction: Transaction<Database>, deadId: string, instanceId: string): Promise<true> {
  const local = transaction.withTables<LocalTables>();
  for (const table of ["outbox", "departed_instances"] as const) {
    await local.updateTable(table).set({ instance_id: instanceId }).where("instance_id", "=", deadId).execute();
  }
  const sequence = await lastSequence(transaction, instanceId);
  await local.insertInto("departed_instances").values({ id: deadId, instance_id: instanceId, sequence }).execute();
  return true;
}

export async function findDeparted(db: Kysely<Database>, instanceId: string): Promise<readonly Departed[]> {
  const departed = db.withTables<LocalTables>().selectFrom("departed_instances");
  return departed.where("instance_id", "=", instanceId).select(["id", "sequence"]).execute();
}

export async function forgetDeparted(db: Kysely<Database>, id: string): Promise<void> {
  await db.withTables<LocalTables>().deleteFrom("departed_instances").where("id", "=", id).execute();
}

/** Its rows stay where they are, for a person to look at; the next ones can be delivered. */
export async function setAside(
  db: Kysely<Database>,
  sequence: number,
  requestId: string,
  reason: unknown,
): Promise<void> {
  await db
    .withTables<LocalTables>()
    .transaction()
    .execute(async (transaction) => {
      const row = { sequence, request_id: requestId, reason: reasonOf(reason) };
      await transaction.insertInto("refused_deliveries").values(row).execute();
      await transaction.deleteFrom("outbox").where("sequence", "=", sequence).execute();
    });
}
