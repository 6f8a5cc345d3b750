/** The life of an owner: it is announced, it holds a lease, and in the end it is forgotten. How it ends: owner-ends.ts. */
import { sql } from "kysely";
import type { Kysely, RawBuilder, Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { encodeHoldings } from "../held-columns.ts";
import type { Holding, LeaseState } from "./bank.ts";

/** Announces an owner, or extends its lease if that was done before. */
export async function registerOwner(
  db: Kysely<Database>,
  owner: { readonly ownerId: string; readonly instanceId: string; readonly leaseMs: number },
  now: RawBuilder<number>,
): Promise<LeaseState> {
  const registered = await db
    .insertInto("allowance_owners")
    .values({
      owner_id: owner.ownerId,
      instance_id: owner.instanceId,
      lease_until_ms: sql<number>`${now} + ${owner.leaseMs}`,
      fenced: 0,
      held_amounts: encodeHoldings([]),
    })
    .onConflict((conflict) =>
      conflict
        .column("owner_id")
        .doUpdateSet((row) => ({ lease_until_ms: row.ref("excluded.lease_until_ms") }))
        .where("allowance_owners.fenced", "=", 0),
    )
    .returning("lease_until_ms")
    .executeTakeFirst();
  if (registered === undefined) return fencedState(db, now);
  return { alive: true, nowMs: registered.lease_until_ms - owner.leaseMs, recalled: [] };
}

export interface Renewal {
  readonly ownerId: string;
  readonly leaseMs: number;
  /** See `Bank.renew`. */
  readonly holdings: readonly Holding[] | undefined;
}

/** Two statements, each one row or an index range: every process does this several times a second. */
export async function renewOwner(
  db: Kysely<Database>,
  { ownerId, leaseMs, holdings }: Renewal,
  now: RawBuilder<number>,
): Promise<LeaseState> {
  const renewed = await db
    .updateTable("allowance_owners")
    .set({ lease_until_ms: sql<number>`${now} + ${leaseMs}` })
    .$if(holdings !== undefined, (update) => update.set({ held_amounts: encodeHoldings(holdings ?? []) }))
    .where("owner_id", "=", ownerId)
    .where("fenced", "=", 0)
    .returning("lease_until_ms")
    .executeTakeFirst();
  if (renewed === undefined) return fencedState(db, now);
  const recalled = await db
    .selectFrom("allowance_grants")
    .select("account_id")
    .where("owner_id", "=", ownerId)
    .where("recalled", "=", 1)
    .execute();
  return {
    alive: true,
    nowMs: renewed.lease_until_ms - leaseMs,
    recalled: recalled.map((grant) => grant.account_id),
  };
}

async function fencedState(db: Kysely<Database>, now: RawBuilder<number>): Promise<LeaseState> {
  const { now_ms } = await db.selectNoFrom(now.as("now_ms")).executeTakeFirstOrThrow();
  return { alive: false, nowMs: now_ms, recalled: [] };
}

/** Locks the owner against everything but settlements. Resolves with the time `now`, or `null` if it is fenced or unknown. */
export async function lockOwner(
  transaction: Transaction<Database>,
  ownerId: string,
  now: RawBuilder<number>,
): Promise<number | null> {
  const locked = await transaction
    .updateTable("allowance_owners")
    .set({ fenced: 0 })
    .where("owner_id", "=", ownerId)
    .where("fenced", "=", 0)
    .returning(now.as("now_ms"))
    .executeTakeFirst();
  return locked?.now_ms ?? null;
}

/** Fenced owners that have nothing in suspense, of leases that ended before `until`. */
export async function forgetOwners(db: Kysely<Database>, until: RawBuilder<number>): Promise<void> {
  const owners = await db
    .selectFrom("allowance_owners")
    .select("owner_id")
    .where("fenced", "=", 1)
    .where("lease_until_ms", "<", until)
    .where((owner) =>
      owner.not(
        owner.exists(
          owner
            .selectFrom("allowance_grants")
            .select("account_id")
            .whereRef("allowance_grants.owner_id", "=", "allowance_owners.owner_id")
            .where("amount", ">", 0n),
        ),
      ),
    )
    .execute();
  for (const { owner_id } of owners) {
    await db.deleteFrom("allowance_grants").where("owner_id", "=", owner_id).execute();
    await db.deleteFrom("allowance_owners").where("owner_id", "=", owner_id).execute();
  }
}
