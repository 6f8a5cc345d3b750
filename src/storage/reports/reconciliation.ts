/**
 * What reconciliation with a provider's own records needs: the charges whose amount is not the provider's, a way to
 * append the difference once it is known, and an end to the asking.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Kysely } from "kysely";
import { assert } from "../../kernel/assert.ts";
import { appendEntries } from "../closings.ts";
import type { LedgerEntry } from "../records.ts";
import { toLedgerEntry } from "../rows.ts";
import type { Database } from "../schema.ts";

export interface UnreconciledQuery {
  readonly provider: string;
  readonly limit: number;
  /** The last `entryId` of the page before. */
  readonly after?: string | null;
}

/** Charges on the basis `metered` or `worst-case` that have no correction yet and were not forgotten, oldest first. */
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
  const appended = [{ entry, lastOfRequest: false }];
  const newIds = await db.transaction().execute((transaction) => appendEntries(transaction, appended));
  return newIds.size === 1;
}

/** The providers that have charges without a correction. */
export async function listUnconfirmedProviders(db: Kysely<Database>): Promise<readonly string[]> {
  const providers: string[] = [];
  for (;;) {
    // One seek a provider, however many charges it has.
    const next = await db
      .selectFrom("unconfirmed_charges")
      .select("provider")
      .where("provider", ">", providers.at(-1) ?? "")
      .orderBy("provider")
      .limit(1)
      .executeTakeFirst();
    if (next === undefined) return providers;
    providers.push(next.provider);
  }
}

export interface ForgetUnconfirmedQuery {
  readonly provider: string;
  /** Charges settled before this time are no longer listed; they stay as they were charged. */
  readonly settledBeforeMs: number;
}

/** Entries removed at once, so that other work has its turn. */
const FORGOTTEN_AT_ONCE = 500;

/** Returns how many charges are no longer asked about. */
export async function forgetUnconfirmed(db: Kysely<Database>, query: ForgetUnconfirmedQuery): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const { numDeletedRows } = await db
      .deleteFrom("unconfirmed_charges")
      .where("provider", "=", query.provider)
      .where("entry_id", "in", (some) =>
        some
          .selectFrom("unconfirmed_charges as unconfirmed")
          .innerJoin("ledger_entries as charge", "charge.entry_id", "unconfirmed.entry_id")
          .select("unconfirmed.entry_id")
          .where("unconfirmed.provider", "=", query.provider)
          .where("charge.at_ms", "<", query.settledBeforeMs)
          .limit(FORGOTTEN_AT_ONCE),
      )
      .executeTakeFirstOrThrow();
    forgotten += Number(numDeletedRows);
    if (numDeletedRows < FORGOTTEN_AT_ONCE) return forgotten;
    await nextTurn();
  }
}
