/** What operators and settlements do to the books, and what the books say then. */
import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { AccountKey, Move } from "../../src/storage/escrow/bank.ts";
import { applyLimit } from "../../src/storage/escrow/limit-change.ts";
import { applyMoves } from "../../src/storage/escrow/moves.ts";
import type { Database } from "../../src/storage/schema.ts";
import { type BankOnStore, leaseMs, startMs } from "./bank-place.ts";
import type { CalendarWindow } from "./bank-samples.ts";

/** `nowMs`: the bank's time. */
export function settleMoves(db: Kysely<Database>, moves: readonly Move[], nowMs: number = startMs): Promise<void> {
  const now = sql<number>`cast(${nowMs} as bigint)`;
  return db.transaction().execute((transaction) => applyMoves(transaction, moves, now));
}

export function changeLimit(db: Kysely<Database>, id: string, limit: bigint, nowMs: number): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    await transaction.updateTable("allowances").set({ limit_amount: limit }).where("id", "=", id).execute();
    await applyLimit(transaction, id, nowMs);
  });
}

/** For the windows of the allowance that begin in `window`. */
export async function insertOverride(
  db: Kysely<Database>,
  allowanceId: string,
  window: CalendarWindow,
  { limit, revoked = false }: { readonly limit: bigint; readonly revoked?: boolean },
): Promise<void> {
  const row = {
    id: `ovr_${window.startMs}_${limit}`,
    generation: 1,
    allowance_id: allowanceId,
    from_ms: window.startMs,
    until_ms: window.endMs,
    limit_amount: limit,
    created_at_ms: 1,
    revoked_at_ms: revoked ? 1 : null,
  };
  await db.insertInto("allowance_overrides").values(row).execute();
}

/** What the account stands at: limit, spent, granted, suspense. */
export async function numbersOf(db: Kysely<Database>, { accountId }: AccountKey): Promise<readonly bigint[]> {
  const row = await db
    .selectFrom("allowance_accounts")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirstOrThrow();
  return [row.limit_amount, row.spent_amount, row.granted_amount, row.suspense_amount];
}

/** Of the first draw. */
export async function grantedOf(drawn: Promise<readonly { granted: bigint }[]>): Promise<bigint | undefined> {
  return (await drawn)[0]?.granted;
}

/** Draws until it is refused, gives back a part of each grant and settles the rest. Resolves with what it has settled in all. */
export async function drawAllOf({ db, bank }: BankOnStore, ownerId: string, account: AccountKey): Promise<bigint> {
  const { accountId } = account;
  await bank.register(ownerId, `instance of ${ownerId}`, leaseMs);
  let settled = 0n;
  for (let sequence = 1; ;) {
    const [drawn] = await bank.draw(ownerId, [{ account, sequence: sequence++, need: 1n, want: 40n, refusals: 0 }]);
    if (drawn === undefined || drawn.granted === 0n) return settled;
    const amount = drawn.granted / 4n;
    if (amount > 0n) await bank.giveBack(ownerId, [{ accountId, sequence: sequence++, amount, refusals: 0 }]);
    const fromGrant = drawn.granted - amount;
    await settleMoves(db, [{ ownerId, accountId, fromGrant, overdraft: 0n }]);
    settled += fromGrant;
  }
}
