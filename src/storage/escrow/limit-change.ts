/**
 * How a limit reaches the accounts of its allowance. An allowance for each end user may have hundreds of thousands, so it
 * is done by a few statements, whose number does not depend on that of the accounts.
 *
 * Invariant: the allowance is locked first, then its accounts in the order of their ids, then grants are changed; as
 * draws and moves lock them. So a change waits for those and they for it, but none for each other.
 */
import { sql } from "kysely";
import type { Expression, Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { reinsertAccounts } from "./account-books.ts";
import type { Amount } from "./bank.ts";
import { type AllowanceRow, limitOfWindow, type OverrideRow } from "./terms.ts";

/**
 * Brings the accounts of an allowance whose window has not ended at `nowMs` to what the allowance and its overrides now
 * say, and recalls all that is granted from them, so that a lowered limit takes effect within a poll. To be called in the
 * transaction that changed them, after the change.
 */
export async function applyLimit(
  transaction: Transaction<Database>,
  allowanceId: string,
  nowMs: number,
): Promise<void> {
  const terms = await lockTerms(transaction, allowanceId);
  if (terms === null) return;
  const startsMs = await findOpenWindows(transaction, allowanceId, nowMs);
  if (startsMs.length === 0) return;
  const limits = startsMs.map((startMs) => ({
    startMs,
    limit: limitOfWindow(terms.allowance, terms.overrides, startMs),
  }));
  await limitAccounts(transaction, allowanceId, limits);
  await recallAll(transaction, allowanceId, startsMs);
}

/** When the windows of its accounts begin that have not ended at `nowMs`. One ends after the other, as they begin. */
async function findOpenWindows(
  transaction: Transaction<Database>,
  allowanceId: string,
  nowMs: number,
): Promise<readonly number[]> {
  const startsMs: number[] = [];
  for (let beforeMs = Number.MAX_SAFE_INTEGER; ;) {
    const latest = await transaction
      .selectFrom("allowance_accounts")
      .select(["window_start_ms", "window_end_ms"])
      .where("allowance_id", "=", allowanceId)
      .where("window_start_ms", "<", beforeMs)
      .orderBy("window_start_ms", "desc")
      .limit(1)
      .executeTakeFirst();
    if (latest === undefined || (latest.window_end_ms !== null && latest.window_end_ms <= nowMs)) return startsMs;
    beforeMs = latest.window_start_ms;
    startsMs.push(beforeMs);
  }
}

interface WindowLimit {
  readonly startMs: number;
  readonly limit: Amount;
}

/** One statement for all windows: accounts of the same subject in several are locked in the order of their ids too. */
async function limitAccounts(
  transaction: Transaction<Database>,
  allowanceId: string,
  limits: readonly WindowLimit[],
): Promise<void> {
  const startsMs = limits.map(({ startMs }) => startMs);
  await reinsertAccounts(transaction, (own) =>
    own.and([own("own.allowance_id", "=", allowanceId), own("own.window_start_ms", "in", startsMs)]),
  )
    .onConflict((conflict) =>
      conflict.column("account_id").doUpdateSet({
        limit_amount: (row) =>
          limits.reduce<Expression<Amount>>(
            (other, { startMs, limit }) =>
              row.case().when("allowance_accounts.window_start_ms", "=", startMs).then(limit).else(other).end(),
            row.ref("allowance_accounts.limit_amount"),
          ),
      }),
    )
    .execute();
}

/** Of accounts that are locked. */
async function recallAll(
  transaction: Transaction<Database>,
  allowanceId: string,
  startsMs: readonly number[],
): Promise<void> {
  await transaction
    .updateTable("allowance_grants")
    .set({ recalled: 1 })
    .where("account_id", "in", (grant) =>
      grant
        .selectFrom("allowance_accounts")
        .select("account_id")
        .where("allowance_id", "=", allowanceId)
        .where("window_start_ms", "in", startsMs),
    )
    .where("amount", ">", 0n)
    .where("suspended", "=", 0)
    .execute();
}

export interface LockedTerms {
  readonly allowance: AllowanceRow;
  readonly overrides: readonly OverrideRow[];
}

/**
 * What limits the accounts of an allowance, locked until the end of the transaction: an account made under the old limit
 * is committed before the limit changes, or made after it under the new one.
 */
export async function lockTerms(transaction: Transaction<Database>, allowanceId: string): Promise<LockedTerms | null> {
  const allowance = await transaction
    .updateTable("allowances")
    .set({ created_at_ms: sql<number>`created_at_ms` })
    .where("id", "=", allowanceId)
    .returningAll()
    .executeTakeFirst();
  if (allowance === undefined) return null;
  const overrides = await transaction
    .selectFrom("allowance_overrides")
    .select(["from_ms", "until_ms", "limit_amount"])
    .where("allowance_id", "=", allowanceId)
    .where("revoked_at_ms", "is", null)
    .execute();
  return { allowance, overrides };
}
