/**
 * Settles what dead gateway processes left held. A process is dead when its instance lock can be taken; the lock is
 * kept until its holds are settled, so two recoveries do not work on the same instance.
 *
 * Each transaction takes some requests of the instance and moves all their holds: a ledger entry at the worst case
 * for each, with what it held of allowances; a wide row with ending `killed` for each request that has none. After the
 * last one, what the dead process had been granted and nobody used is made available again, some of it at a time, and in
 * the end the instance is removed. It may be repeated or interrupted anywhere: an attempt is held until the transaction
 * that charges it commits, and the instance is announced until nothing is left of it. The event loop gets a turn after
 * each transaction.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import type { Clock } from "../kernel/clock.ts";
import { repeat } from "../kernel/repeat.ts";
import type { Closing } from "./closings.ts";
import { findUnfinished, finishSome } from "./escrow/owner-ends.ts";
import { closeKilled } from "./killed.ts";
import { toHold } from "./rows.ts";
import type { Database } from "./schema.ts";
import type { StoreOptions } from "./storage.ts";

export interface RecoveryDeps {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** Who recovers: it lives. */
  readonly instanceId: string;
  /** `null` if the instance's process lives. */
  readonly takeLock: (instanceId: string) => { release(): void } | null;
  /** Writes what the requests of a dead process come to. */
  readonly settle: (transaction: Transaction<Database>, closings: readonly Closing[]) => Promise<void>;
  /**
   * All that the instance did is settled: what it was granted and did not use is available again. Resolves with whether
   * that is done; if not, it is called again in another transaction.
   */
  readonly finish: (transaction: Transaction<Database>, instanceId: string) => Promise<boolean>;
  /** Something was recovered and is committed. */
  readonly recovered?: () => Promise<void>;
}

export interface RecoveryReport {
  /** Dead processes whose holds are now settled. */
  readonly instances: number;
  readonly attempts: number;
}

export interface Recovery extends AsyncDisposable {
  /** Now; rejects if it fails. */
  recover(): Promise<RecoveryReport>;
}

const REQUESTS_PER_TRANSACTION = 200;
const INTERVAL_MS = 30_000;

/** Recovers once before it resolves, and from then on every `recoveryIntervalMs`; tells what it did. */
export async function keepRecovering(
  deps: RecoveryDeps,
  { events, recoveryIntervalMs = INTERVAL_MS }: Pick<StoreOptions, "events" | "recoveryIntervalMs">,
): Promise<Recovery> {
  const recoverAndTell = async (): Promise<void> => {
    try {
      const report = await recoverHolds(deps);
      if (report.attempts > 0) events?.recovered?.(report);
    } catch (error) {
      events?.failed?.("recovery", error);
    }
  };
  await recoverAndTell();
  const repeated = repeat(deps.clock, recoveryIntervalMs, recoverAndTell);
  return { recover: () => recoverHolds(deps), [Symbol.asyncDispose]: () => repeated[Symbol.asyncDispose]() };
}

async function recoverHolds(deps: RecoveryDeps): Promise<RecoveryReport> {
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
  if (instances > 0) await deps.recovered?.();
  return { instances, attempts };
}

async function recoverInstance(deps: RecoveryDeps, instanceId: string): Promise<number> {
  let attempts = 0;
  for (;;) {
    const charged = await deps.db.transaction().execute((transaction) => moveSome(deps, transaction, instanceId));
    if (charged === null) return attempts;
    attempts += charged;
    await nextTurn();
  }
}

/** Returns how many holds were charged; `null` when there is nothing more of the instance, which is removed then. */
async function moveSome(
  deps: RecoveryDeps,
  transaction: Transaction<Database>,
  instanceId: string,
): Promise<number | null> {
  const ofInstance = transaction.selectFrom("open_holds").where("instance_id", "=", instanceId);
  const some = ofInstance.select("request_id").distinct().limit(REQUESTS_PER_TRANSACTION);
  const requestIds = (await some.execute()).map((row) => row.request_id);
  if (requestIds.length === 0) {
    if (!(await deps.finish(transaction, instanceId))) return 0;
    await transaction.deleteFrom("instances").where("id", "=", instanceId).execute();
    return null;
  }
  const rows = await ofInstance.where("request_id", "in", requestIds).orderBy("attempt_id").selectAll().execute();
  await deps.settle(transaction, closeKilled(rows.map(toHold), deps.clock.wallMs()));
  await transaction
    .deleteFrom("holds")
    .where("instance_id", "=", instanceId)
    .where("request_id", "in", requestIds)
    .execute();
  return rows.length;
}

/** For `RecoveryDeps.finish`, where the bank is in the same database as the journal. */
export async function finishInstance(transaction: Transaction<Database>, instanceId: string): Promise<boolean> {
  const ownerId = await findUnfinished(transaction, instanceId);
  if (ownerId === null) return true;
  await finishSome(transaction, ownerId);
  return false;
}
