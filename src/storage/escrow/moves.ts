import type { RawBuilder, Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { findGrants, lockAccounts, type OpenAccount, saveAccounts, saveGrants } from "./account-books.ts";
import type { Move } from "./bank.ts";
import { noGrant, settleGrant } from "./grant.ts";
import { openNamed } from "./opening.ts";

/**
 * Takes what settled requests took from allowances out of grants and accounts. Called once for each request, in the
 * transaction that writes its ledger entries. A move whose grant does not exist any more, or not in this amount, is
 * spent all the same.
 *
 * Of an account that does not exist nothing was granted, but an allowance that does not refuse may have been used, or
 * held by a process that died, before the bank heard of it. `openingAt`: the bank's time, at which it is made then; `null`: nothing changes.
 */
export async function applyMoves(
  transaction: Transaction<Database>,
  moves: readonly Move[],
  openingAt: RawBuilder<number> | null,
): Promise<void> {
  const accountIds = moves.map((move) => move.accountId);
  if (openingAt !== null) await openNamed(transaction, accountIds, openingAt);
  const accounts = await lockAccounts(transaction, accountIds);
  for (const [ownerId, ownMoves] of Map.groupBy(moves, (move) => move.ownerId)) {
    await settleOwner(transaction, ownerId, ownMoves, accounts);
  }
  await saveAccounts(transaction, accounts.values());
}

async function settleOwner(
  transaction: Transaction<Database>,
  ownerId: string,
  moves: readonly Move[],
  accounts: ReadonlyMap<string, OpenAccount>,
): Promise<void> {
  const grants = await findGrants(transaction, ownerId, [...new Set(moves.map((move) => move.accountId))]);
  for (const move of moves) {
    const account = accounts.get(move.accountId);
    if (account === undefined) continue;
    const grant = grants.get(move.accountId);
    const settled = settleGrant({ account: account.state, grant: grant ?? noGrant }, move);
    account.state = settled.account;
    if (grant !== undefined) grants.set(move.accountId, settled.grant);
  }
  await saveGrants(transaction, ownerId, grants);
}
