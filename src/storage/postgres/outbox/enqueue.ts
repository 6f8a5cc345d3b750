/**
 * How closings get into the outbox: those of this process by the journal, in the transaction that writes their rows;
 * those of a dead process by recovery.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Kysely, Transaction } from "kysely";
import type { Closing } from "../../closings.ts";
import { ledgerEntryColumns, requestColumns, toRow } from "../../columns.ts";
import type { LedgerEntry } from "../../records.ts";
import type { Database } from "../../schema.ts";
import type { ClosingEffects } from "../../sqlite/journal/statements.ts";
import type { LocalTables } from "../local-tables.ts";
import { encodeMoves } from "./moves-column.ts";

export interface OutboxEffects extends ClosingEffects {
  /** How many closings were written since it was last asked, or more: what was rolled back and repeated counts again. */
  takeCount(): number;
}

/** Beside its own rows a closing of this process changes the outbox only; the rest is done where it is delivered. */
export function createOutboxEffects(connection: DatabaseSync, db: Kysely<Database>, instanceId: string): OutboxEffects {
  const row = { instance_id: instanceId, request_id: "", entry_ids: "", moves: null, left_behind: 0 };
  const query = db.withTables<LocalTables>().insertInto("outbox").values(row).compile();
  const insert = connection.prepare(query.sql);
  let count = 0;
  return {
    add(record, entries, moves) {
      insert.run(instanceId, record.requestId, encodeIds(entries), encodeMoves(moves), 0);
      count++;
    },
    flush: () => {},
    discard: () => {},
    takeCount() {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}

/** In the transaction that removes the holds. `instanceId`: who delivers them. */
export async function enqueueLeftBehind(
  transaction: Transaction<Database>,
  instanceId: string,
  closings: readonly Closing[],
): Promise<void> {
  const local = transaction.withTables<LocalTables>();
  for (const { record, entries, moves } of closings) {
    await local
      .insertInto("requests")
      .values(toRow(requestColumns, record))
      .onConflict((conflict) => conflict.column("request_id").doNothing())
      .execute();
    for (const entry of entries) {
      await local
        .insertInto("ledger_entries")
        .values({ ...toRow(ledgerEntryColumns, entry), last_of_request: Number(entry === entries.at(-1)) })
        .onConflict((conflict) => conflict.column("entry_id").doNothing())
        .execute();
    }
    const ids = { instance_id: instanceId, request_id: record.requestId, entry_ids: encodeIds(entries) };
    await local
      .insertInto("outbox")
      .values({ ...ids, moves: encodeMoves(moves), left_behind: 1 })
      .execute();
  }
}

function encodeIds(entries: readonly LedgerEntry[]): string {
  return JSON.stringify(entries.map((entry) => entry.entryId));
}
