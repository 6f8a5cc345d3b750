/**
 * The bank on a SQL database, the same on every engine: each operation is one transaction, or one statement; the end of
 * an owner is several of them.
 *
 * Locks are taken in one order: owner, allowances, accounts in the order of their ids. A settlement locks accounts only,
 * so that a fenced owner's settlements are never waited for.
 */
import { sql } from "kysely";
import type { Kysely, RawBuilder, Transaction } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Database } from "../schema.ts";
import { findGrants, lockAccounts, saveAccounts, saveGrants } from "./account-books.ts";
import type { Bank, DrawRequest, DrawResult, ReapReport, ReturnRequest } from "./bank.ts";
import { drawAll } from "./draws.ts";
import { drawNothing, noGrant, returnGrant } from "./grant.ts";
import { fenceOwner, findEnded, finishOwner, suspendGrants } from "./owner-ends.ts";
import { forgetOwners, lockOwner, registerOwner, renewOwner } from "./owners.ts";

export interface SqlBankDeps {
  readonly db: Kysely<Database>;
  /**
   * The bank's time in whole ms since the epoch, as an expression of the engine: one clock for all processes of one
   * database. Evaluated in each statement anew, not once a transaction, for a statement may have waited for a lock.
   */
  readonly now: () => RawBuilder<number>;
  /** What it means to a caller that the database threw. */
  readonly unavailable: (error: unknown) => HeadgateError;
}

/** A fenced owner is remembered for so long after its lease, for what it may still ask. */
const OWNER_KEPT_MS = 86_400_000;

export function createSqlBank({ db, now, unavailable }: SqlBankDeps): Bank {
  async function attempt<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      throw error instanceof HeadgateError ? error : unavailable(error);
    }
  }
  const transact = <Result>(act: (transaction: Transaction<Database>) => Promise<Result>): Promise<Result> =>
    attempt(() => db.transaction().execute(act));

  return {
    register: (ownerId, instanceId, leaseMs) =>
      attempt(() => registerOwner(db, { ownerId, instanceId, leaseMs }, now())),
    renew: (ownerId, leaseMs, holdings) => attempt(() => renewOwner(db, { ownerId, leaseMs, holdings }, now())),
    draw: async (ownerId, requests) =>
      requests.length === 0 ? [] : transact((transaction) => draw(transaction, now(), ownerId, requests)),
    giveBack: async (ownerId, requests) => {
      if (requests.length > 0) await transact((transaction) => giveBack(transaction, now(), ownerId, requests));
    },
    recall: async (ownerId, accountIds) => {
      if (accountIds.length > 0) await transact((transaction) => recall(transaction, ownerId, accountIds));
    },
    async finish(ownerIds) {
      for (const ownerId of ownerIds) await attempt(() => finishOwner(db, ownerId));
    },
    reap: () => attempt(() => reap(db, now)),
  };
}

async function draw(
  transaction: Transaction<Database>,
  now: RawBuilder<number>,
  ownerId: string,
  requests: readonly DrawRequest[],
): Promise<readonly DrawResult[]> {
  const nowMs = await lockOwner(transaction, ownerId, now);
  if (nowMs === null) {
    throw new HeadgateError(
      "owner_fenced",
      "This process was out of touch with the store for longer than its lease. Nothing was called; try again.",
      { retryAfterMs: 1000 },
    );
  }
  return drawAll(transaction, ownerId, requests, { now, nowMs });
}

async function giveBack(
  transaction: Transaction<Database>,
  now: RawBuilder<number>,
  ownerId: string,
  requests: readonly ReturnRequest[],
): Promise<void> {
  if ((await lockOwner(transaction, ownerId, now)) === null) return;
  const accountIds = requests.map((request) => request.accountId);
  const accounts = await lockAccounts(transaction, accountIds);
  const grants = await findGrants(transaction, ownerId, accountIds);
  for (const request of requests) {
    const grant = grants.get(request.accountId) ?? noGrant;
    const account = accounts.get(request.accountId);
    if (account === undefined) {
      grants.set(request.accountId, drawNothing({ account: null, grant }, request).grant);
      continue;
    }
    const returned = returnGrant({ account: account.state, grant }, request);
    account.state = returned.account;
    grants.set(request.accountId, returned.grant);
  }
  await saveAccounts(transaction, accounts.values());
  await saveGrants(transaction, ownerId, grants);
}

/** The accounts are locked, so that no operation that read a grant before writes over its recall. */
async function recall(
  transaction: Transaction<Database>,
  ownerId: string,
  accountIds: readonly string[],
): Promise<void> {
  await lockAccounts(transaction, accountIds);
  await transaction
    .updateTable("allowance_grants")
    .set({ recalled: 1 })
    .where("account_id", "in", accountIds)
    .where("owner_id", "<>", ownerId)
    .where("amount", ">", 0n)
    .where("suspended", "=", 0)
    .execute();
}

/** One owner after the other: who reaps at the same time finds it done. */
async function reap(db: Kysely<Database>, now: () => RawBuilder<number>): Promise<ReapReport> {
  const suspended = new Set<string>();
  let owners = 0;
  for (const ownerId of await findEnded(db, now())) {
    if (await fenceOwner(db, ownerId, now())) owners++;
    for (const accountId of await suspendGrants(db, ownerId)) suspended.add(accountId);
  }
  await forgetOwners(db, sql<number>`${now()} - ${OWNER_KEPT_MS}`);
  return { owners, accounts: suspended.size };
}
