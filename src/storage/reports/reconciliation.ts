/** What reconciliation with a provider's own records asks about, and an end to the asking. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { Database } from "../schema.ts";
import { readAttempts } from "./charged-attempts.ts";
import type { ChargedAttempt } from "./charged-attempts.ts";

export interface UnreconciledQuery {
  readonly provider: string;
  readonly limit: number;
  /** The last `entryId` of the page before. */
  readonly after?: string | null;
}

/** Those that are still on the basis `metered` or `worst-case` and were not forgotten, oldest first. */
export async function listUnreconciled(
  db: Kysely<Database>,
  query: UnreconciledQuery,
): Promise<readonly ChargedAttempt[]> {
  const charges = await db
    .selectFrom("unconfirmed_charges")
    .select("entry_id")
    .where("provider", "=", query.provider)
    .where("entry_id", ">", query.after ?? "")
    .orderBy("entry_id")
    .limit(query.limit)
    .execute();
  return readAttempts(db, charges);
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
