/**
 * The rows of accounts and of one owner's grants from them, held for a transaction: locked, changed by pure functions,
 * written back.
 *
 * Invariant: accounts are locked in the order of their ids, before anything of them or their grants is read, and a grant
 * is changed only by who has locked its account. So two transactions neither wait for each other nor write over what
 * the other has read. The lock is an update, which is one on every engine; and because an UPDATE takes its rows in no
 * order that can be told, it is an insertion of the rows that are there, in their order, each of which becomes an update
 * of itself.
 */
import { sql } from "kysely";
import type {
  Expression,
  ExpressionBuilder,
  InsertQueryBuilder,
  InsertResult,
  RawBuilder,
  SqlBool,
  Transaction,
} from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Database } from "../schema.ts";
import type { AccountState } from "./account.ts";
import { type GrantState, noGrant } from "./grant.ts";
import { accountState, type AccountRow, type AllowanceRow } from "./terms.ts";

const accountColumns = [
  "account_id",
  "allowance_id",
  "subject",
  "window_start_ms",
  "window_end_ms",
  "limit_amount",
  "spent_amount",
  "granted_amount",
  "suspense_amount",
  "drained_at_ms",
  "refusals",
  "updated_at_ms",
] as const satisfies readonly (keyof AccountRow)[];

/** Of one statement: well below what engines let a statement bind. */
const ROWS_AT_ONCE = 200;

/** The accounts under the name that they have where they are read to be inserted again. */
export interface OwnAccounts extends Database {
  readonly own: AccountRow;
}

/** An account as it was locked, and what has become of it. */
export interface OpenAccount {
  readonly row: AccountRow;
  readonly allowance: AllowanceRow;
  state: AccountState;
}

/** Those of `accountIds` that exist. `now`: stamped into their `updated_at_ms`; default: nothing is. */
export async function lockAccounts(
  transaction: Transaction<Database>,
  accountIds: readonly string[],
  now: RawBuilder<number> = sql<number>`allowance_accounts.updated_at_ms`,
): Promise<Map<string, OpenAccount>> {
  const rows: AccountRow[] = [];
  for (const some of chunks([...new Set(accountIds)].toSorted())) {
    const locked = await reinsertAccounts(transaction, (own) => own("own.account_id", "in", some))
      .onConflict((conflict) => conflict.column("account_id").doUpdateSet({ updated_at_ms: now }))
      .returningAll()
      .execute();
    rows.push(...locked);
  }
  const allowances = await findAllowances(
    transaction,
    rows.map((row) => row.allowance_id),
  );
  const accounts = new Map<string, OpenAccount>();
  for (const row of rows) {
    const allowance = allowances.get(row.allowance_id);
    if (allowance === undefined) throw new HeadgateError("internal", `Account ${row.account_id} has no allowance.`);
    accounts.set(row.account_id, { row, allowance, state: accountState(row, allowance) });
  }
  return accounts;
}

/**
 * Inserts accounts that are there once more, in the order of their ids, so that what is done on the conflict is done to
 * each in this order.
 */
export function reinsertAccounts(
  transaction: Transaction<Database>,
  which: (own: ExpressionBuilder<OwnAccounts, "own">) => Expression<SqlBool>,
): InsertQueryBuilder<Database, "allowance_accounts", InsertResult> {
  return transaction
    .insertInto("allowance_accounts")
    .columns(accountColumns)
    .expression((from) =>
      from.selectFrom("allowance_accounts as own").select(accountColumns).where(which).orderBy("own.account_id"),
    );
}

async function findAllowances(
  transaction: Transaction<Database>,
  ids: readonly string[],
): Promise<Map<string, AllowanceRow>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const rows = await transaction.selectFrom("allowances").selectAll().where("id", "in", wanted).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** By account, of accounts that are locked. */
export async function findGrants(
  transaction: Transaction<Database>,
  ownerId: string,
  accountIds: readonly string[],
): Promise<Map<string, GrantState>> {
  if (accountIds.length === 0) return new Map();
  const rows = await transaction
    .selectFrom("allowance_grants")
    .selectAll()
    .where("owner_id", "=", ownerId)
    .where("account_id", "in", accountIds)
    .execute();
  return new Map(
    rows.map((row) => [
      row.account_id,
      {
        amount: row.amount,
        sequence: row.sequence,
        lastAmount: row.last_amount,
        recalled: row.recalled === 1,
        suspended: row.suspended === 1,
      },
    ]),
  );
}

/** Writes what has changed of accounts that are locked. */
export async function saveAccounts(transaction: Transaction<Database>, accounts: Iterable<OpenAccount>): Promise<void> {
  const changed = [...accounts].filter(hasChanged).map(({ row, state }) => ({
    ...row,
    spent_amount: state.spent,
    granted_amount: state.granted,
    suspense_amount: state.suspense,
    drained_at_ms: state.drainedAtMs,
    refusals: state.refusals,
  }));
  for (const some of chunks(changed)) {
    await transaction
      .insertInto("allowance_accounts")
      .values(some)
      .onConflict((conflict) =>
        conflict.column("account_id").doUpdateSet((row) => ({
          spent_amount: row.ref("excluded.spent_amount"),
          granted_amount: row.ref("excluded.granted_amount"),
          suspense_amount: row.ref("excluded.suspense_amount"),
          drained_at_ms: row.ref("excluded.drained_at_ms"),
          refusals: row.ref("excluded.refusals"),
        })),
      )
      .execute();
  }
}

function hasChanged({ row, state }: OpenAccount): boolean {
  return (
    state.spent !== row.spent_amount ||
    state.granted !== row.granted_amount ||
    state.suspense !== row.suspense_amount ||
    state.drainedAtMs !== row.drained_at_ms ||
    state.refusals !== row.refusals
  );
}

function* chunks<Item>(items: readonly Item[]): Iterable<readonly Item[]> {
  for (let from = 0; from < items.length; from += ROWS_AT_ONCE) yield items.slice(from, from + ROWS_AT_ONCE);
}

/** Writes the owner's grants, by account; one that equals `noGrant` is not written. */
export async function saveGrants(
  transaction: Transaction<Database>,
  ownerId: string,
  grants: Iterable<readonly [string, GrantState]>,
): Promise<void> {
  const rows = [...grants]
    .filter(([, grant]) => grant !== noGrant)
    .map(([accountId, grant]) => ({
      owner_id: ownerId,
      account_id: accountId,
      amount: grant.amount,
      sequence: grant.sequence,
      last_amount: grant.lastAmount,
      recalled: grant.recalled ? 1 : 0,
      suspended: grant.suspended ? 1 : 0,
    }));
  if (rows.length === 0) return;
  await transaction
    .insertInto("allowance_grants")
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(["owner_id", "account_id"]).doUpdateSet((row) => ({
        amount: row.ref("excluded.amount"),
        sequence: row.ref("excluded.sequence"),
        last_amount: row.ref("excluded.last_amount"),
        recalled: row.ref("excluded.recalled"),
        suspended: row.ref("excluded.suspended"),
      })),
    )
    .execute();
}
