/**
 * Attempts with all that the ledger says of them. An attempt's entries stand beside each other in the order of their ids:
 * a correction's id is its attempt's, a dot, and its number among the attempt's corrections, from 1.
 */
import { type Kysely, sql } from "kysely";
import type { LedgerEntry, SettlementBasis } from "../records.ts";
import { toLedgerEntry } from "../rows.ts";
import type { Database } from "../schema.ts";

export interface ChargedAttempt {
  readonly charge: LedgerEntry;
  /** In the order in which they were appended. */
  readonly corrections: readonly LedgerEntry[];
  /** When its request began, ms since the epoch: the moment whose prices count. */
  readonly startedAtMs: number;
}

/** What the attempt counts as by now. */
export function basisOf({ charge, corrections }: ChargedAttempt): SettlementBasis {
  return corrections.at(-1)?.basis ?? charge.basis;
}

/** Taken by now if the attempt has been corrected since it was read. */
export function nextCorrectionId({ charge, corrections }: ChargedAttempt): string {
  return `${charge.attemptId}.${corrections.length + 1}`;
}

/** Where a page ended. */
export interface AttemptCursor {
  readonly atMs: number;
  readonly entryId: string;
}

export interface ChargedAttemptsQuery {
  /** Of charges: settled from then on. */
  readonly fromMs: number | null;
  /** Settled before then. */
  readonly toMs: number | null;
  readonly provider: string | null;
  /** `provider/model` that was called, or as the provider named it in its answer. */
  readonly model: string | null;
  readonly limit: number;
  readonly after: AttemptCursor | null;
}

/** In the order in which they were settled. */
export async function listChargedAttempts(
  db: Kysely<Database>,
  { fromMs, toMs, provider, model, limit, after }: ChargedAttemptsQuery,
): Promise<readonly ChargedAttempt[]> {
  let page = db
    .selectFrom("ledger_entries")
    .select(["entry_id", "at_ms"])
    .where("kind", "=", "charge")
    .orderBy("at_ms")
    .orderBy("entry_id")
    .limit(limit);
  if (fromMs !== null) page = page.where("at_ms", ">=", fromMs);
  if (toMs !== null) page = page.where("at_ms", "<", toMs);
  if (provider !== null) page = page.where("provider", "=", provider);
  if (model !== null) {
    page = page.where((row) => row.or([row("model_target", "=", model), row("model_served", "=", model)]));
  }
  if (after !== null) {
    page = page
      .where("at_ms", ">=", after.atMs)
      .where((row) => row.or([row("at_ms", ">", after.atMs), row("entry_id", ">", after.entryId)]));
  }
  return readAttempts(db, await page.execute());
}

/** As they are by now, in their order. */
export function rereadAttempts(
  db: Kysely<Database>,
  attempts: readonly ChargedAttempt[],
): Promise<readonly ChargedAttempt[]> {
  return readAttempts(
    db,
    attempts.map(({ charge }) => ({ entry_id: charge.entryId })),
  );
}

/** Of these charges, in their order. */
export async function readAttempts(
  db: Kysely<Database>,
  charges: readonly { readonly entry_id: string }[],
): Promise<readonly ChargedAttempt[]> {
  if (charges.length === 0) return [];
  const ids = charges.map((charge) => charge.entry_id);
  const rows = await db
    .selectFrom("ledger_entries as charge")
    // The character after the dot: all ids that begin with the charge's and a dot are before it.
    .innerJoin("ledger_entries as entry", (join) =>
      join
        .onRef("entry.entry_id", ">=", "charge.entry_id")
        .on("entry.entry_id", "<", sql<string>`charge.entry_id || '/'`),
    )
    .leftJoin("requests", "requests.request_id", "charge.request_id")
    .selectAll("entry")
    .select("requests.started_at_ms")
    .where("charge.entry_id", "in", ids)
    // By number: clocks of several machines differ, and 10 follows 9.
    .orderBy(sql`length(entry.entry_id)`)
    .orderBy("entry.entry_id")
    .execute();
  const byAttempt = Map.groupBy(rows, (row) => row.attempt_id);
  return ids.flatMap((id) => {
    const own = byAttempt.get(id) ?? [];
    const charge = own.find((row) => row.kind === "charge");
    if (charge === undefined) return [];
    const corrections = own.filter((row) => row.kind === "correction").map(toLedgerEntry);
    return [{ charge: toLedgerEntry(charge), corrections, startedAtMs: charge.started_at_ms ?? charge.at_ms }];
  });
}
