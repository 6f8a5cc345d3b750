/**
 * What reconciliation with a provider's own records needs: the charges whose amount is not the provider's, and a
 * way to append the difference once it is known.
 */
import { sql } from "kysely";
import type { Insertable, Kysely } from "kysely";
import { assert } from "../../kernel/assert.ts";
import { columnNames, ledgerEntryColumns } from "../columns.ts";
import type { LedgerEntry } from "../records.ts";
import { toLedgerEntry } from "../rows.ts";
import type { Database } from "../schema.ts";

export interface UnreconciledQuery {
  readonly provider: string;
  readonly limit: number;
  /** The last `entryId` of the page before. */
  readonly after?: string | null;
}

/** Charges on the basis `metered` or `worst-case` that have no correction yet, oldest first. */
export async function listUnreconciled(
  db: Kysely<Database>,
  query: UnreconciledQuery,
): Promise<readonly LedgerEntry[]> {
  const rows = await db
    .selectFrom("ledger_entries as charge")
    .selectAll()
    // Literals, so that the planner sees that the partial index applies.
    .where(sql<boolean>`charge.kind = 'charge' and charge.basis in ('metered', 'worst-case')`)
    .where("charge.provider", "=", query.provider)
    .where("charge.entry_id", ">", query.after ?? "")
    .where(
      sql<boolean>`not exists (select 1 from ledger_entries as correction where correction.kind = 'correction' and correction.attempt_id = charge.attempt_id)`,
    )
    .orderBy("charge.entry_id")
    .limit(query.limit)
    .execute();
  return rows.map(toLedgerEntry);
}

/** Appends the signed difference to an earlier charge. Appending the same entry again changes nothing; returns whether it was new. */
export async function appendCorrection(db: Kysely<Database>, entry: LedgerEntry): Promise<boolean> {
  assert(entry.kind === "correction", "only a correction may be appended");
  const row = Object.fromEntries(
    columnNames(ledgerEntryColumns).map((name) => [name, ledgerEntryColumns[name](entry)]),
  );
  const inserted = await db
    .insertInto("ledger_entries")
    .values(row as Insertable<Database["ledger_entries"]>)
    .onConflict((conflict) => conflict.column("entry_id").doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}
