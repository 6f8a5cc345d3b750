/**
 * How owners end: fenced when the lease is over, finished when all that it did is settled.
 *
 * An owner may have grants from thousands of accounts. At its end they are gone through in pieces, each in a transaction
 * of its own, so that nobody waits for long. It is fenced before the first piece, so that no grant is added; whoever comes
 * after one that was interrupted finds what is left. Between two pieces the books of each account are right.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Kysely, RawBuilder, SelectQueryBuilder, Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { findGrants, lockAccounts, saveAccounts, saveGrants } from "./account-books.ts";
import { fenceGrant, finishGrant } from "./grant.ts";

/** What one transaction goes through. */
const ACCOUNTS_AT_ONCE = 200;

/** Owners whose leases have ended and that are not fenced yet, or not wholly: who fenced them did not come to the end. */
export async function findEnded(db: Kysely<Database>, now: RawBuilder<number>): Promise<readonly string[]> {
  const owners = await db
    .selectFrom("allowance_owners as owner")
    .select("owner.owner_id")
    .where("owner.lease_until_ms", "<", now)
    .where((owner) =>
      owner.or([
        owner("owner.fenced", "=", 0),
        owner.exists(
          owner
            .selectFrom("allowance_grants as grant")
            .select("grant.account_id")
            .whereRef("grant.owner_id", "=", "owner.owner_id")
            .where("grant.suspended", "=", 0),
        ),
      ]),
    )
    .execute();
  return owners.map((owner) => owner.owner_id);
}

/** Whether this is what fenced it: its lease is over, and nobody else did before. */
export async function fenceOwner(db: Kysely<Database>, ownerId: string, now: RawBuilder<number>): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("allowance_owners")
    .set({ fenced: 1 })
    .where("owner_id", "=", ownerId)
    .where("fenced", "=", 0)
    .where("lease_until_ms", "<", now)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/**
 * Puts what a fenced owner has been granted into suspense; slots are available again. Resolves with the accounts that have
 * something more in suspense now.
 */
export async function suspendGrants(db: Kysely<Database>, ownerId: string): Promise<readonly string[]> {
  const suspended: string[] = [];
  await inPieces(db, (transaction) => suspendSome(transaction, ownerId, suspended));
  return suspended;
}

async function suspendSome(transaction: Transaction<Database>, ownerId: string, suspended: string[]): Promise<boolean> {
  if (!(await lockFenced(transaction, ownerId))) return true;
  const accountIds = await someAccounts(ofOwner(transaction, ownerId).where("suspended", "=", 0));
  const accounts = await lockAccounts(transaction, accountIds);
  const grants = await findGrants(transaction, ownerId, accountIds);
  for (const [accountId, grant] of grants) {
    const account = accounts.get(accountId);
    // Somebody else may have done it before the accounts were locked; of an account that does not exist it is of nothing.
    if (grant.suspended) continue;
    if (account === undefined) {
      grants.set(accountId, { ...grant, suspended: true });
      continue;
    }
    const fenced = fenceGrant({ account: account.state, grant }, account.allowance.meter);
    account.state = fenced.account;
    grants.set(accountId, fenced.grant);
    if (fenced.grant.amount > 0n) suspended.push(accountId);
  }
  await saveAccounts(transaction, accounts.values());
  await saveGrants(transaction, ownerId, grants);
  return accountIds.length < ACCOUNTS_AT_ONCE;
}

/** Everything that the owner did is settled: what is left of its grants is available again, and it gets no more. */
export async function finishOwner(db: Kysely<Database>, ownerId: string): Promise<void> {
  await inPieces(db, (transaction) => finishSome(transaction, ownerId));
}

/** A piece of `finishOwner`, for who has a transaction of its own. Resolves with whether it was the last one. */
export async function finishSome(transaction: Transaction<Database>, ownerId: string): Promise<boolean> {
  await transaction.updateTable("allowance_owners").set({ fenced: 1 }).where("owner_id", "=", ownerId).execute();
  const accountIds = await someAccounts(ofOwner(transaction, ownerId));
  if (accountIds.length === 0) return true;
  const accounts = await lockAccounts(transaction, accountIds);
  const grants = await findGrants(transaction, ownerId, accountIds);
  for (const [accountId, grant] of grants) {
    const account = accounts.get(accountId);
    if (account !== undefined) account.state = finishGrant({ account: account.state, grant });
  }
  await saveAccounts(transaction, accounts.values());
  await transaction
    .deleteFrom("allowance_grants")
    .where("owner_id", "=", ownerId)
    .where("account_id", "in", accountIds)
    .execute();
  return accountIds.length < ACCOUNTS_AT_ONCE;
}

/** An owner of the instance that is not finished. */
export async function findUnfinished(db: Kysely<Database>, instanceId: string): Promise<string | null> {
  const owner = await db
    .selectFrom("allowance_owners as owner")
    .select("owner.owner_id")
    .where("owner.instance_id", "=", instanceId)
    .where((row) =>
      row.or([
        row("owner.fenced", "=", 0),
        row.exists(
          row
            .selectFrom("allowance_grants as grant")
            .select("grant.account_id")
            .whereRef("grant.owner_id", "=", "owner.owner_id"),
        ),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return owner?.owner_id ?? null;
}

/** In as many transactions as it takes, with turns of the event loop between them. Each says whether it was the last one. */
async function inPieces(
  db: Kysely<Database>,
  act: (transaction: Transaction<Database>) => Promise<boolean>,
): Promise<void> {
  while (!(await db.transaction().execute(act))) await nextTurn();
}

async function lockFenced(transaction: Transaction<Database>, ownerId: string): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable("allowance_owners")
    .set({ fenced: 1 })
    .where("owner_id", "=", ownerId)
    .where("fenced", "=", 1)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

type GrantsOf = SelectQueryBuilder<Database, "allowance_grants", object>;

function ofOwner(transaction: Transaction<Database>, ownerId: string): GrantsOf {
  return transaction.selectFrom("allowance_grants").where("owner_id", "=", ownerId);
}

async function someAccounts(grants: GrantsOf): Promise<readonly string[]> {
  const rows = await grants.select("account_id").orderBy("account_id").limit(ACCOUNTS_AT_ONCE).execute();
  return rows.map((row) => row.account_id);
}
