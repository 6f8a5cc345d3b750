/**
 * The only way to change what a request cost once it is settled: the signed difference, appended beside its charge, with
 * what it moves in the accounts of allowances and what the attempt counts as from now on, in one transaction.
 */
import type { Kysely } from "kysely";
import { assert } from "../../kernel/assert.ts";
import { appendEntries } from "../closings.ts";
import type { Move } from "../escrow/bank.ts";
import { applyMoves } from "../escrow/moves.ts";
import type { LedgerEntry } from "../records.ts";
import type { Database } from "../schema.ts";
import type { Replaced } from "../usage-hours.ts";

export interface CorrectionToAppend {
  readonly entry: LedgerEntry;
  readonly replaced: Replaced;
  /** Negative amounts give back. */
  readonly moves: readonly Move[];
}

/**
 * Appends what is not there yet: an entry that is changes nothing, its moves included. Returns the ids of what was new.
 * A correction's id is its attempt's, a dot, and what makes it unique among the attempt's.
 */
export async function appendCorrections(
  db: Kysely<Database>,
  corrections: readonly CorrectionToAppend[],
): Promise<ReadonlySet<string>> {
  if (corrections.length === 0) return new Set();
  for (const { entry } of corrections) {
    assert(entry.kind === "correction", "only a correction may be appended");
    assert(entry.entryId.startsWith(`${entry.attemptId}.`), "a correction's id begins with its attempt's");
  }
  return db.transaction().execute(async (transaction) => {
    const entries = corrections.map(({ entry, replaced }) => ({ entry, lastOfRequest: false, replaced }));
    const newIds = await appendEntries(transaction, entries);
    const moves = corrections
      .filter(({ entry }) => newIds.has(entry.entryId))
      .flatMap((correction) => correction.moves);
    if (moves.length > 0) await applyMoves(transaction, moves);
    return newIds;
  });
}
