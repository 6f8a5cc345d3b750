/**
 * The only way to change what a request cost once it is settled: the signed difference, appended beside its charge, with
 * what it moves in the accounts of allowances and what the attempt counts as from now on, in one transaction.
 *
 * Invariant: a correction is a difference from what the attempt stands at when it is appended. Corrections of an attempt
 * are numbered, and a number is given once: of several that were reckoned from the same standing, wherever that was, one
 * is appended and the others have come too late. Whose came too late reads the attempt again and reckons anew.
 */
import type { Kysely } from "kysely";
import { assert } from "../../kernel/assert.ts";
import { appendEntries } from "../closings.ts";
import type { Move } from "../escrow/bank.ts";
import { applyMoves } from "../escrow/moves.ts";
import type { LedgerEntry } from "../records.ts";
import type { Database } from "../schema.ts";
import { basisOf, nextCorrectionId, type ChargedAttempt } from "./charged-attempts.ts";

/** A correction that has no place in the ledger yet. */
export type CorrectionEntry = Omit<LedgerEntry, "entryId" | "kind">;

export interface Correction {
  /** As it stood when the correction was reckoned. */
  readonly attempt: ChargedAttempt;
  readonly entry: CorrectionEntry;
}

export interface CorrectionToAppend extends Correction {
  /** Negative amounts give back. */
  readonly moves: readonly Move[];
}

/**
 * Appends those whose attempt has no other correction than when they were reckoned; of the rest nothing is changed, their
 * moves included. At most one for each attempt. Returns the attempts whose correction was appended.
 */
export async function appendCorrections(
  db: Kysely<Database>,
  corrections: readonly CorrectionToAppend[],
): Promise<ReadonlySet<ChargedAttempt>> {
  if (corrections.length === 0) return new Set();
  const numbered = corrections.map((correction) => ({ ...correction, entryId: nextCorrectionId(correction.attempt) }));
  assert(
    new Set(numbered.map(({ entryId }) => entryId)).size === numbered.length,
    "one correction of an attempt at once",
  );
  // Whoever appends waits in this order for who is appending the same numbers.
  numbered.sort((a, b) => (a.entryId < b.entryId ? -1 : 1));
  return db.transaction().execute(async (transaction) => {
    const newIds = await appendEntries(
      transaction,
      numbered.map(({ attempt, entry, entryId }) => ({
        entry: { ...entry, entryId, kind: "correction" },
        lastOfRequest: false,
        replaced: { basis: basisOf(attempt), chargedAtMs: attempt.charge.atMs },
      })),
    );
    const appended = numbered.filter(({ entryId }) => newIds.has(entryId));
    const moves = appended.flatMap((correction) => correction.moves);
    if (moves.length > 0) await applyMoves(transaction, moves, null);
    return new Set(appended.map(({ attempt }) => attempt));
  });
}
