/**
 * What reconciliation with a provider's own records needs: the charges whose amount is not the provider's, and a
 * way to append the difference once it is known.
 */
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
    .selectFrom("unconfirmed_charges as unconfirmed")
    .innerJoin("ledger_entries as charge", "charge.entry_id", "unconfirmed.entry_id")
    .selectAll("charge")
    .where("unconfirmed.provider", "=", query.provider)
    .where("unconfirmed.entry_id", ">", query.after ?? "")
    .orderBy("unconfirmed.entry_id")
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
