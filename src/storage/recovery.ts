/**
 * Settles what dead gateway processes left held. A process is dead when its instance lock can be taken; the lock is
 * kept until its holds are settled, so two recoveries do not work on the same instance.
 *
 * Each transaction takes some requests of the instance and moves all their holds: a ledger entry at the worst case
 * for each, a wide row with ending `killed` for each request that has none. It may be repeated or interrupted
 * anywhere: an attempt is held until the transaction that charges it commits.
 */
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import type { Clock } from "../kernel/clock.ts";
import { usageColumns } from "./schema.ts";
import type { Database } from "./schema.ts";

export interface RecoveryDeps {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** Who recovers: it lives. */
  readonly instanceId: string;
  /** `null` if the instance's process lives. */
  readonly takeLock: (instanceId: string) => { release(): void } | null;
}

export interface RecoveryReport {
  /** Dead processes whose holds are now settled. */
  readonly instances: number;
  readonly attempts: number;
}

const REQUESTS_PER_TRANSACTION = 200;

export async function recoverHolds(deps: RecoveryDeps): Promise<RecoveryReport> {
  let instances = 0;
  let attempts = 0;
  const others = deps.db.selectFrom("instances").select("id").where("id", "!=", deps.instanceId);
  for (const { id } of await others.execute()) {
    const lock = deps.takeLock(id);
    if (lock === null) continue;
    try {
      attempts += await recoverInstance(deps, id);
      instances++;
    } finally {
      lock.release();
    }
  }
  return { instances, attempts };
}

async function recoverInstance(deps: RecoveryDeps, instanceId: string): Promise<number> {
  let attempts = 0;
  for (;;) {
    const moved = await deps.db
      .transaction()
      .execute((transaction) => moveSome(transaction, instanceId, deps.clock.wallMs()));
    attempts += moved;
    if (moved === 0) return attempts;
  }
}

/** Returns how many holds were charged; after the last one the instance itself is removed. */
async function moveSome(transaction: Transaction<Database>, instanceId: string, nowMs: number): Promise<number> {
  const requests = await transaction
    .selectFrom("holds")
    .where("instance_id", "=", instanceId)
    .select("request_id")
    .distinct()
    .limit(REQUESTS_PER_TRANSACTION)
    .execute();
  if (requests.length === 0) {
    await transaction.deleteFrom("instances").where("id", "=", instanceId).execute();
    return 0;
  }
  const requestIds = requests.map((row) => row.request_id);
  await chargeHolds(transaction, instanceId, requestIds, nowMs);
  await recordKilled(transaction, instanceId, requestIds);
  const removed = await transaction
    .deleteFrom("holds")
    .where("instance_id", "=", instanceId)
    .where("request_id", "in", requestIds)
    .executeTakeFirst();
  return Number(removed.numDeletedRows);
}

const usage = Object.values(usageColumns);

const chargeColumns = [
  "attempt_id",
  "request_id",
  "tenant_id",
  "project_id",
  "key_id",
  "end_user",
  "operation",
  "provider",
  "credential",
  "model_asked",
  "price_version",
  "cost_nano_usd",
  ...usage,
] as const;

async function chargeHolds(
  transaction: Transaction<Database>,
  instanceId: string,
  requestIds: readonly string[],
  nowMs: number,
): Promise<void> {
  await transaction
    .insertInto("ledger_entries")
    .columns([
      ...chargeColumns,
      "entry_id",
      "model_served",
      "kind",
      "at_ms",
      "basis",
      "unpriced",
      "estimated",
      "recovered",
    ])
    .expression((builder) =>
      builder
        .selectFrom("holds")
        .where("instance_id", "=", instanceId)
        .where("request_id", "in", requestIds)
        .select(chargeColumns)
        .select((hold) => [
          "attempt_id as entry_id",
          "model_target as model_served",
          sql.lit<"charge">("charge").as("kind"),
          hold.val(nowMs).as("at_ms"),
          sql.lit<"worst-case">("worst-case").as("basis"),
          hold.case().when("price_version", "is", null).then(sql.lit(1)).else(sql.lit(0)).end().as("unpriced"),
          sql.lit(1).as("estimated"),
          sql.lit(1).as("recovered"),
        ]),
    )
    .onConflict((conflict) => conflict.column("entry_id").doNothing())
    .execute();
}

/** What only the dead process knew stays empty: method, path, status, sizes and timings. */
async function recordKilled(
  transaction: Transaction<Database>,
  instanceId: string,
  requestIds: readonly string[],
): Promise<void> {
  const shared = ["request_id", "tenant_id", "project_id", "key_id", "end_user", "operation", "model_asked"] as const;
  const zero = ["stream", "status", "invalid_events", "bytes_in", "bytes_out", "total_us"] as const;
  await transaction
    .insertInto("requests")
    .columns([
      ...shared,
      ...zero,
      "started_at_ms",
      "model_served",
      "provider",
      "attempts",
      "cost_nano_usd",
      ...usage,
      "method",
      "path",
      "ending",
      "basis",
    ])
    .expression((builder) =>
      builder
        .selectFrom("holds")
        .where("instance_id", "=", instanceId)
        .where("request_id", "in", requestIds)
        .groupBy(shared)
        .select(shared)
        .select(zero.map((column) => sql.lit(0).as(column)))
        .select((hold) => [
          hold.fn.min("started_at_ms").as("started_at_ms"),
          hold.fn.max("model_target").as("model_served"),
          hold.fn.max("provider").as("provider"),
          hold.fn.countAll<number>().as("attempts"),
          hold.fn.sum<bigint>("cost_nano_usd").as("cost_nano_usd"),
          ...usage.map((column) => hold.fn.sum<number>(column).as(column)),
          sql.lit("").as("method"),
          sql.lit("").as("path"),
          sql.lit<"killed">("killed").as("ending"),
          sql.lit<"worst-case">("worst-case").as("basis"),
        ]),
    )
    .onConflict((conflict) => conflict.column("request_id").doNothing())
    .execute();
}
