/**
 * Appends corrections to the ledger, and lets the budgets follow: an account of an allowance that the request was on the
 * path of, and whose window is still open, takes the difference too. Which accounts those are is found by what the
 * allowances say today; the ledger does not keep it. A window that has ended stays as it was, and so does an allowance
 * that was made after the request began, or disabled before: it never counted it. One that was disabled since has its
 * books kept right for when it is enabled again.
 */
import type { Kysely } from "kysely";
import { totalInputTokens, totalOutputTokens } from "../kernel/usage.ts";
import { toAllowance } from "../limits/allowance-row.ts";
import { regimeOf, type Allowance } from "../limits/allowance.ts";
import { windowAt } from "../storage/escrow/calendar.ts";
import { concernsPayer, countsRequest, subjectOf } from "../limits/path/matching.ts";
import type { Move } from "../storage/escrow/bank.ts";
import { appendCorrections, type Correction, type CorrectionEntry } from "../storage/reports/corrections.ts";
import type { Database } from "../storage/schema.ts";

/** Returns those that were appended: see `appendCorrections`. `nowMs`: since the epoch. */
export async function appendToLedger(
  db: Kysely<Database>,
  corrections: readonly Correction[],
  nowMs: number,
): Promise<readonly Correction[]> {
  if (corrections.length === 0) return [];
  const allowances = await readAllowances(db, corrections);
  const appended = await appendCorrections(
    db,
    corrections.map((correction) => ({ ...correction, moves: correctionMoves(correction, allowances, nowMs) })),
  );
  return corrections.filter(({ attempt }) => appended.has(attempt));
}

async function readAllowances(db: Kysely<Database>, corrections: readonly Correction[]): Promise<readonly Allowance[]> {
  const tenantIds = [...new Set(corrections.map(({ entry }) => entry.payer.tenantId))];
  const rows = await db
    .selectFrom("allowances")
    .selectAll()
    .where("tenant_id", "in", tenantIds)
    .where("meter", "in", ["money", "tokens"])
    .execute();
  return rows.map(toAllowance);
}

/** What a correction moves in budgets of money and of tokens. Rates have drained by now. */
export function correctionMoves(
  { attempt, entry }: Correction,
  allowances: readonly Allowance[],
  nowMs: number,
): readonly Move[] {
  const { payer, endUser, operation, modelAsked, modelTarget } = entry;
  const scope = { payer, endUser, operation, modelAsked, modelTarget };
  return allowances.flatMap((allowance) => {
    if (
      !wasInForce(allowance, attempt.startedAtMs) ||
      !concernsPayer(allowance, payer) ||
      !countsRequest(allowance, scope)
    )
      return [];
    const difference = differenceOf(entry, allowance);
    const startMs = openWindowStart(allowance, attempt.startedAtMs, nowMs);
    if (difference === 0n || startMs === null) return [];
    const accountId = `${allowance.id}|${subjectOf(allowance, scope)}|${startMs}`;
    return [{ ownerId: "correction", accountId, fromGrant: 0n, overdraft: difference }];
  });
}

function wasInForce({ createdAtMs, disabledAtMs }: Allowance, atMs: number): boolean {
  return createdAtMs <= atMs && (disabledAtMs === null || atMs < disabledAtMs);
}

function differenceOf({ costNanoUsd, usage }: CorrectionEntry, { meter }: Allowance): bigint {
  if (meter === "money") return costNanoUsd;
  return meter === "tokens" ? BigInt(totalInputTokens(usage) + totalOutputTokens(usage)) : 0n;
}

/** `null`: it has ended, or the allowance has no windows that are budgets. */
function openWindowStart({ meter, window, timeZone }: Allowance, startedAtMs: number, nowMs: number): number | null {
  if (regimeOf(meter, window) !== "budget") return null;
  if (window === "lifetime") return 0;
  const { startMs, endMs } = windowAt(window, timeZone, startedAtMs);
  return nowMs < endMs ? startMs : null;
}
