/**
 * Draws, within a transaction: makes the accounts that do not exist yet, locks all, and lets each request have what the
 * account and the owner's grant say.
 *
 * A process finds the window of an account by what the bank told it of the time, and the bank trusts that only so far:
 * from a window that begins later than a lease from now nothing is granted, nor from one that ended longer ago than
 * requests last. A process with a wrong clock would use up the money of next month, or what was left of last.
 */
import type { RawBuilder, Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { findGrants, lockAccounts, type OpenAccount, saveAccounts, saveGrants } from "./account-books.ts";
import type { AccountKey, DrawRequest, DrawResult, Standing } from "./bank.ts";
import { drawGrant, drawNothing, type GrantState, noGrant } from "./grant.ts";
import { lockTerms } from "./limit-change.ts";
import { findMissing, insertAccounts, newAccount } from "./opening.ts";
import { type AccountRow, limitOfWindow } from "./terms.ts";

/** By so much a process may think it later than the bank does. */
const WINDOW_EARLY_MS = 30_000;
/** So long after its window's end a request that began in it may go on drawing, for an answer that grows. */
const WINDOW_LATE_MS = 3_600_000;

/** The bank's time, as an expression to be evaluated when the statement is, and as it was when the transaction began. */
export interface DrawTime {
  readonly now: RawBuilder<number>;
  readonly nowMs: number;
}

/** Of an owner that is locked. Results in the order of the requests. Throws `internal` for a sequence that cannot be. */
export async function drawAll(
  transaction: Transaction<Database>,
  ownerId: string,
  requests: readonly DrawRequest[],
  { now, nowMs }: DrawTime,
): Promise<readonly DrawResult[]> {
  const keys = requests.map((request) => request.account);
  const accountIds = keys.map((key) => key.accountId);
  const unopened = await openMissing(transaction, keys, nowMs);
  const accounts = await lockAccounts(transaction, accountIds, now);
  const grants = await findGrants(transaction, ownerId, accountIds);
  const results: DrawResult[] = [];
  for (const request of requests) {
    const { accountId } = request.account;
    const account = accounts.get(accountId);
    const grant = grants.get(accountId) ?? noGrant;
    const drawn =
      account !== undefined && isGrantable(account, nowMs)
        ? drawFrom(account, grant, request)
        : refuse(account ?? null, unopened.get(accountId) ?? null, grant, request);
    grants.set(accountId, drawn.grant);
    results.push({ accountId, ...drawn.result });
  }
  await saveAccounts(transaction, accounts.values());
  await saveGrants(transaction, ownerId, grants);
  return results;
}

interface Drawn {
  readonly grant: GrantState;
  readonly result: Omit<DrawResult, "accountId">;
}

function drawFrom(account: OpenAccount, grant: GrantState, request: DrawRequest): Drawn {
  const drawn = drawGrant({ account: account.state, grant }, request, account.row.updated_at_ms);
  account.state = drawn.account;
  const { granted, retryAfterMs } = drawn;
  return { grant: drawn.grant, result: { granted, standing: standingOf(account.state), retryAfterMs } };
}

/** `unopened`: what an account would stand at that is not made because its window is not now. */
function refuse(
  account: OpenAccount | null,
  unopened: Standing | null,
  before: GrantState,
  request: DrawRequest,
): Drawn {
  const books = drawNothing({ account: account?.state ?? null, grant: before }, request);
  if (account !== null && books.account !== null) account.state = books.account;
  const limited = account !== null && account.allowance.disabled_at_ms === null;
  const standing = limited ? standingOf(account.state) : unopened;
  return { grant: books.grant, result: { granted: books.grant.lastAmount, standing, retryAfterMs: null } };
}

function standingOf({ limit, spent, granted, suspense }: Standing): Standing {
  return { limit, spent, granted, suspense };
}

function isGrantable({ row, allowance }: OpenAccount, nowMs: number): boolean {
  return allowance.disabled_at_ms === null && isNow(row.window_start_ms, row.window_end_ms, nowMs);
}

function isNow(startMs: number, endMs: number | null, nowMs: number): boolean {
  return endMs === null || (startMs <= nowMs + WINDOW_EARLY_MS && nowMs < endMs + WINDOW_LATE_MS);
}

/**
 * Makes the accounts that are missing, of allowances in force. Resolves with those whose window is not now: they are not
 * made.
 */
async function openMissing(
  transaction: Transaction<Database>,
  keys: readonly AccountKey[],
  nowMs: number,
): Promise<Map<string, Standing>> {
  const unopened = new Map<string, Standing>();
  const byId = new Map(keys.map((key) => [key.accountId, key]));
  const missing = [...(await findMissing(transaction, byId.keys()))].flatMap((accountId) => byId.get(accountId) ?? []);
  const byAllowance = Map.groupBy(missing, (key) => key.allowanceId);
  const opened: AccountRow[] = [];
  for (const allowanceId of [...byAllowance.keys()].toSorted()) {
    const terms = await lockTerms(transaction, allowanceId);
    if (terms === null || terms.allowance.disabled_at_ms !== null) continue;
    for (const key of byAllowance.get(allowanceId) ?? []) {
      const limit = limitOfWindow(terms.allowance, terms.overrides, key.windowStartMs);
      if (isNow(key.windowStartMs, key.windowEndMs, nowMs)) opened.push(newAccount(key, limit, nowMs));
      else unopened.set(key.accountId, { limit, spent: 0n, granted: 0n, suspense: 0n });
    }
  }
  await insertAccounts(transaction, opened);
  return unopened;
}
