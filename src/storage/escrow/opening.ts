/**
 * Makes accounts, within a transaction: the first draw from one does, or what was used of one from which nothing was
 * drawn. An allowance that does not refuse is used also while the bank is away, so that a settlement may come first.
 *
 * Invariant: the limit of a new account is what its allowance says, which is locked until the end of the transaction.
 * Allowances are locked before accounts, both in the order of their ids.
 */
import type { RawBuilder, Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { accountKeyOf, allowanceIdOf } from "./account-ids.ts";
import type { AccountKey } from "./bank.ts";
import { lockTerms } from "./limit-change.ts";
import { type AccountRow, limitOfWindow } from "./terms.ts";

/** Of these accounts, those that do not exist. */
export async function findMissing(
  transaction: Transaction<Database>,
  accountIds: Iterable<string>,
): Promise<ReadonlySet<string>> {
  const missing = new Set(accountIds);
  if (missing.size === 0) return missing;
  const existing = await transaction
    .selectFrom("allowance_accounts")
    .select("account_id")
    .where("account_id", "in", [...missing])
    .execute();
  for (const { account_id } of existing) missing.delete(account_id);
  return missing;
}

/** To be made at `nowMs`, the bank's time. */
export function newAccount(key: AccountKey, limit: bigint, nowMs: number): AccountRow {
  return {
    account_id: key.accountId,
    allowance_id: key.allowanceId,
    subject: key.subject,
    window_start_ms: key.windowStartMs,
    window_end_ms: key.windowEndMs,
    limit_amount: limit,
    spent_amount: 0n,
    granted_amount: 0n,
    suspense_amount: 0n,
    drained_at_ms: nowMs,
    refusals: 0,
    updated_at_ms: nowMs,
  };
}

/** Somebody else may make the same at the same time. */
export async function insertAccounts(
  transaction: Transaction<Database>,
  accounts: readonly AccountRow[],
): Promise<void> {
  for (const account of accounts.toSorted((a, b) => (a.account_id < b.account_id ? -1 : 1))) {
    await transaction
      .insertInto("allowance_accounts")
      .values(account)
      .onConflict((conflict) => conflict.column("account_id").doNothing())
      .execute();
  }
}

/**
 * Makes those of these accounts that do not exist, also of an allowance that is disabled or of a window that has ended:
 * something was used of them. One that is of no allowance is not made. `now`: the bank's time.
 */
export async function openNamed(
  transaction: Transaction<Database>,
  accountIds: Iterable<string>,
  now: RawBuilder<number>,
): Promise<void> {
  const missing = await findMissing(transaction, accountIds);
  if (missing.size === 0) return;
  const { now_ms } = await transaction.selectNoFrom(now.as("now_ms")).executeTakeFirstOrThrow();
  const byAllowance = Map.groupBy(missing, allowanceIdOf);
  const opened: AccountRow[] = [];
  for (const allowanceId of [...byAllowance.keys()].toSorted()) {
    const terms = await lockTerms(transaction, allowanceId);
    if (terms === null) continue;
    for (const accountId of byAllowance.get(allowanceId) ?? []) {
      const key = accountKeyOf(accountId, terms.allowance);
      if (key === null) continue;
      opened.push(newAccount(key, limitOfWindow(terms.allowance, terms.overrides, key.windowStartMs), now_ms));
    }
  }
  await insertAccounts(transaction, opened);
}
