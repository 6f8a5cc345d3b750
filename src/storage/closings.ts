/**
 * Writes to record, ledger, usage by hour and allowances what requests came to, in the caller's transaction, on any
 * engine. The journal on SQLite does the same by prepared statements for the requests of its own process; here it is done
 * for those of others: what a dead process left held, what another machine delivers, corrections.
 *
 * Invariant: whatever is written a second time changes nothing.
 */
import { sql } from "kysely";
import type { Transaction } from "kysely";
import { ledgerEntryColumns, requestColumns, toRow } from "./columns.ts";
import type { Move } from "./escrow/bank.ts";
import { applyMoves } from "./escrow/moves.ts";
import type { LedgerEntry, RequestRecord } from "./records.ts";
import type { Database } from "./schema.ts";
import { addUsageHours, type Replaced, UsageHours } from "./usage-hours.ts";

/** See `Journal.close`. */
export interface Closing {
  readonly record: RequestRecord;
  readonly entries: readonly LedgerEntry[];
  readonly moves: readonly Move[];
}

/** Rows of one statement: with some forty columns each, well below what engines let a statement bind. */
const ROWS_AT_ONCE = 200;

/**
 * Each of another request. An entry of a request that was recorded before is charged all the same: its hold was left
 * behind. The moves are made if anything of their closing is new, at `nowMs`: ms since the epoch.
 */
export async function writeClosings(
  transaction: Transaction<Database>,
  closings: readonly Closing[],
  nowMs: number,
): Promise<void> {
  const newRequests = await insertRequests(
    transaction,
    closings.map(({ record }) => record),
  );
  const appended = closings.flatMap(({ record, entries }) =>
    entries.map((entry) => ({
      entry,
      lastOfRequest: newRequests.has(record.requestId) && entry === entries.at(-1),
      replaced: null,
    })),
  );
  const newEntries = await appendEntries(transaction, appended);
  const isNew = ({ record, entries }: Closing): boolean =>
    newRequests.has(record.requestId) || entries.some(({ entryId }) => newEntries.has(entryId));
  const moves = closings.filter(isNew).flatMap((closing) => closing.moves);
  if (moves.length > 0) await applyMoves(transaction, moves, sql<number>`${nowMs}`);
}

export interface AppendedEntry {
  readonly entry: LedgerEntry;
  /** It is the last charge of its request. */
  readonly lastOfRequest: boolean;
  /** `null` for a charge. */
  readonly replaced: Replaced | null;
}

/** Appends what is not in the ledger yet, and adds it to the usage by hour. Returns the ids of what was new. */
export async function appendEntries(
  transaction: Transaction<Database>,
  appended: readonly AppendedEntry[],
): Promise<ReadonlySet<string>> {
  const newIds = new Set<string>();
  for (const some of chunks(appended)) {
    const inserted = await transaction
      .insertInto("ledger_entries")
      .values(
        some.map(({ entry, lastOfRequest, replaced }) => ({
          ...toRow(ledgerEntryColumns, entry),
          last_of_request: Number(lastOfRequest),
          replaced_basis: replaced?.basis ?? null,
          charged_at_ms: replaced?.chargedAtMs ?? null,
        })),
      )
      .onConflict((conflict) => conflict.column("entry_id").doNothing())
      .returning("entry_id")
      .execute();
    for (const row of inserted) newIds.add(row.entry_id);
  }
  const hours = new UsageHours();
  for (const { entry, lastOfRequest, replaced } of appended) {
    if (!newIds.has(entry.entryId)) continue;
    if (replaced === null) hours.addCharge(entry, lastOfRequest);
    else hours.addCorrection(entry, replaced);
  }
  for (const rows of chunks(hours.rows())) await addUsageHours(transaction, rows).execute();
  return newIds;
}

async function insertRequests(
  transaction: Transaction<Database>,
  records: readonly RequestRecord[],
): Promise<ReadonlySet<string>> {
  const newIds = new Set<string>();
  for (const some of chunks(records)) {
    const inserted = await transaction
      .insertInto("requests")
      .values(some.map((record) => toRow(requestColumns, record)))
      .onConflict((conflict) => conflict.column("request_id").doNothing())
      .returning("request_id")
      .execute();
    for (const row of inserted) newIds.add(row.request_id);
  }
  return newIds;
}

function* chunks<Item>(items: readonly Item[]): Iterable<readonly Item[]> {
  for (let from = 0; from < items.length; from += ROWS_AT_ONCE) yield items.slice(from, from + ROWS_AT_ONCE);
}
