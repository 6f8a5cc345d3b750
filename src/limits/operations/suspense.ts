/**
 * Amounts in suspense: granted to a process that then was out of touch for longer than its lease, and not yet explained.
 * A process that comes back explains them by itself, and so does the next start on a data folder whose process died. What
 * stays is a machine that is gone with its disk. Then an operator decides, once and for good, and the decision is kept.
 *
 * A settlement that arrives after all is spent whatever was decided. After `release` that is right; after `spend` the
 * amount counts twice in its account, never in the ledger.
 */
import type { Kysely, Transaction } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import { lockAccounts, type OpenAccount, saveAccounts } from "../../storage/escrow/account-books.ts";
import { release, settle } from "../../storage/escrow/account.ts";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Database } from "../../storage/schema.ts";
import { type AllowanceDeps, type AllowanceReference, findAllowance } from "./operations.ts";
import { refuse } from "./refusals.ts";
import { type SuspenseDecision, suspenseDecisions } from "./suspense-decision.ts";
import { checkWord } from "./words.ts";

/** What one process left of one account. */
export interface SuspendedAmount {
  readonly allowanceId: string;
  readonly accountId: string;
  readonly subject: string;
  readonly ownerId: string;
  /** The gateway process it was granted to. */
  readonly instanceId: string;
  readonly amount: Amount;
  /** When the lease ended. */
  readonly sinceMs: number;
}

export interface SuspenseQuery {
  /** `null`: of all. */
  readonly tenantId: string | null;
  readonly allowanceId: string | null;
}

export interface DecidedAmount {
  readonly id: string;
  readonly allowanceId: string;
  readonly accountId: string;
  readonly subject: string;
  readonly ownerId: string;
  readonly amount: Amount;
  readonly decision: SuspenseDecision;
  readonly reason: string;
  readonly decidedAtMs: number;
}

export interface SuspenseResolution {
  readonly decision: SuspenseDecision;
  /** Why, for whoever reads the list later. */
  readonly reason: string;
  /** Only what this owner left. `null`: what all left. */
  readonly ownerId: string | null;
}

const REASON_CHARS_MAX = 500;

/** Longest in suspense first. */
export async function listSuspense(db: Kysely<Database>, query: SuspenseQuery): Promise<readonly SuspendedAmount[]> {
  let select = db
    .selectFrom("allowance_grants as grant")
    .innerJoin("allowance_accounts as account", "account.account_id", "grant.account_id")
    .innerJoin("allowances as allowance", "allowance.id", "account.allowance_id")
    .innerJoin("allowance_owners as owner", "owner.owner_id", "grant.owner_id")
    .select(["account.allowance_id", "account.account_id", "account.subject", "grant.amount"])
    .select(["owner.owner_id", "owner.instance_id", "owner.lease_until_ms"])
    .where("grant.suspended", "=", 1)
    .where("grant.amount", ">", 0n)
    .orderBy("owner.lease_until_ms")
    .orderBy("account.account_id");
  if (query.tenantId !== null) select = select.where("allowance.tenant_id", "=", query.tenantId);
  if (query.allowanceId !== null) select = select.where("account.allowance_id", "=", query.allowanceId);
  return (await select.execute()).map((row) => ({
    allowanceId: row.allowance_id,
    accountId: row.account_id,
    subject: row.subject,
    ownerId: row.owner_id,
    instanceId: row.instance_id,
    amount: row.amount,
    sinceMs: row.lease_until_ms,
  }));
}

/** Newest first. */
export async function listDecisions(db: Kysely<Database>, query: SuspenseQuery): Promise<readonly DecidedAmount[]> {
  let select = db
    .selectFrom("suspense_decisions as decided")
    .innerJoin("allowance_accounts as account", "account.account_id", "decided.account_id")
    .innerJoin("allowances as allowance", "allowance.id", "decided.allowance_id")
    .selectAll("decided")
    .select("account.subject")
    .orderBy("decided.id", "desc");
  if (query.tenantId !== null) select = select.where("allowance.tenant_id", "=", query.tenantId);
  if (query.allowanceId !== null) select = select.where("decided.allowance_id", "=", query.allowanceId);
  return (await select.execute()).map(({ subject, ...row }) => toDecided(row, subject));
}

/**
 * Decides about what is in suspense of an allowance: `release` makes it available again, `spend` counts it as spent.
 * Resolves with what was decided. Throws `not_found`, also where there is nothing to decide about; `invalid_argument`.
 */
export function resolveSuspense(
  deps: AllowanceDeps,
  reference: AllowanceReference,
  resolution: SuspenseResolution,
): Promise<readonly DecidedAmount[]> {
  checkWord("decision", resolution.decision, suspenseDecisions);
  if (resolution.reason.trim() === "") throw refuse("reason", "Say why: the decision is kept with its reason.");
  if (resolution.reason.length > REASON_CHARS_MAX) {
    throw refuse("reason", `A reason has at most ${REASON_CHARS_MAX} characters.`);
  }
  return deps.db.transaction().execute(async (transaction) => {
    const allowance = await findAllowance(transaction, reference);
    const listed = await listSuspense(transaction, { tenantId: null, allowanceId: allowance.id });
    const wanted = listed.filter(({ ownerId }) => resolution.ownerId === null || ownerId === resolution.ownerId);
    const accounts = await lockAccounts(
      transaction,
      wanted.map(({ accountId }) => accountId),
    );
    const decided: DecidedAmount[] = [];
    for (const { accountId, ownerId } of wanted) {
      const account = accounts.get(accountId);
      if (account === undefined) continue;
      const row = await takeSuspended(deps, transaction, { account, ownerId, resolution });
      if (row !== null) decided.push(toDecided(row, account.row.subject));
    }
    if (decided.length === 0) throw nothingSuspended(allowance.name, resolution.ownerId);
    await saveAccounts(transaction, accounts.values());
    return decided;
  });
}

interface Suspended {
  /** Locked, so that what is read of its grants now stays so. */
  readonly account: OpenAccount;
  readonly ownerId: string;
  readonly resolution: SuspenseResolution;
}

/** Takes the grant away: a settlement that comes later finds none and is spent. `null`: it was settled in the meantime. */
async function takeSuspended(
  { clock, ids }: AllowanceDeps,
  transaction: Transaction<Database>,
  { account, ownerId, resolution }: Suspended,
): Promise<Database["suspense_decisions"] | null> {
  const { account_id, allowance_id } = account.row;
  const taken = await transaction
    .deleteFrom("allowance_grants")
    .where("owner_id", "=", ownerId)
    .where("account_id", "=", account_id)
    .where("suspended", "=", 1)
    .where("amount", ">", 0n)
    .returning("amount")
    .executeTakeFirst();
  if (taken === undefined) return null;
  const { amount } = taken;
  account.state =
    resolution.decision === "release"
      ? release(account.state, amount, true)
      : settle(account.state, { fromGrant: amount, overdraft: 0n }, true);
  const row: Database["suspense_decisions"] = {
    id: ids.next("dec"),
    allowance_id,
    account_id,
    owner_id: ownerId,
    amount,
    decision: resolution.decision,
    reason: resolution.reason,
    decided_at_ms: clock.wallMs(),
  };
  await transaction.insertInto("suspense_decisions").values(row).execute();
  return row;
}

function nothingSuspended(name: string, ownerId: string | null): HeadgateError {
  const whose = ownerId === null ? "" : ` of the owner ${JSON.stringify(ownerId)}`;
  const message = `Nothing${whose} is in suspense of ${name}. \`headgate budget suspense\` shows what is.`;
  return new HeadgateError("not_found", message, { param: "allowance" });
}

function toDecided(row: Database["suspense_decisions"], subject: string): DecidedAmount {
  return {
    id: row.id,
    allowanceId: row.allowance_id,
    accountId: row.account_id,
    subject,
    ownerId: row.owner_id,
    amount: row.amount,
    decision: row.decision,
    reason: row.reason,
    decidedAtMs: row.decided_at_ms,
  };
}
