import { sql } from "kysely";
import type { Transaction } from "kysely";
import type { Database } from "../schema.ts";
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
  const accounts = await transaction
    .selectFrom("allowance_accounts")
    .select(["account_id", "window_start_ms"])
    .where("allowance_id", "=", allowanceId)
    .where((account) => account.or([account("window_end_ms", "is", null), account("window_end_ms", ">", nowMs)]))
    .orderBy("account_id")
    .execute();
  for (const { account_id, window_start_ms } of accounts) {
    const limit = limitOfWindow(terms.allowance, terms.overrides, window_start_ms);
    await transaction
      .updateTable("allowance_accounts")
      .set({ limit_amount: limit })
      .where("account_id", "=", account_id)
      .execute();
    await transaction
      .updateTable("allowance_grants")
      .set({ recalled: 1 })
      .where("account_id", "=", account_id)
      .where("amount", ">", 0n)
      .where("suspended", "=", 0)
      .execute();
  }
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
