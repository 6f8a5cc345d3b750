/**
 * Puts the SQLite store together. Connections of one process to the one file:
 *   loop    journal, lookups of keys and allowances, on the event loop, never waits for a lock, never checkpoints
 *   db      Kysely: tenancy, reports, recovery; may wait for another writer
 *   worker  checkpoints, in a thread
 *   lock    the instance lock, a file of its own
 */
import type { DatabaseSync } from "node:sqlite";
import { Kysely, sql } from "kysely";
import { assert } from "../../kernel/assert.ts";
import { repeat } from "../../kernel/repeat.ts";
import { writeClosings } from "../closings.ts";
import { createSqlBank } from "../escrow/sql-bank.ts";
import { finishInstance, recoverHolds } from "../recovery.ts";
import type { RecoveryReport } from "../recovery.ts";
import type { Database } from "../schema.ts";
import type { DatabaseOptions, Store, StoreOptions } from "../storage.ts";
import { createSqliteAllowanceReader } from "./allowance-reader.ts";
import { createBatchWriter } from "./journal/batch-writer.ts";
import { createClosingSums } from "./journal/closing-sums.ts";
import { startCheckpointer } from "./journal/checkpointer.ts";
import { openConnection } from "./connection.ts";
import type { ConnectionOptions } from "./connection.ts";
import { BUSY_STEP_MS, createSqliteDialect, type SqliteDialectEvents } from "./dialect.ts";
import { storageUnavailable } from "./failures.ts";
import { watchGeneration } from "./generation.ts";
import { takeInstanceLock } from "./instance-lock.ts";
import { SqliteJournal } from "./journal/journal.ts";
import { prepareJournalStatements } from "./journal/statements.ts";
import { createSqliteKeyReader } from "./key-reader.ts";
import { migrate } from "./migrations.ts";
import { storeFile } from "./store-file.ts";

const BUSY_MAX_MS = 5000;
const QUEUE_LENGTH_MAX = 10_000;
const LATE_CLOSINGS_MAX = 10_000;
const RECOVERY_INTERVAL_MS = 30_000;
const LOG_BYTES_MAX = 64 * 1024 * 1024;

export function openSqliteDatabase(options: DatabaseOptions): Kysely<Database> {
  const file = storeFile(options.dataDir);
  const connection = openMigrated(file, options.durability, true);
  return new Kysely<Database>({
    dialect: createSqliteDialect(connection, { onWrite: () => {}, onOutOfRange: () => {} }),
  });
}

export async function openSqliteStore(options: StoreOptions): Promise<Store> {
  await using opened = new AsyncDisposableStack();
  const file = storeFile(options.dataDir);
  const kysely = openMigrated(file, options.durability, false);
  const dialectEvents: SqliteDialectEvents = {
    onWrite: () => watch.recheck(),
    onOutOfRange: (column, value) => options.events?.failed?.("count", `${column} holds ${value}`),
  };
  const db = new Kysely<Database>({ dialect: createSqliteDialect(kysely, dialectEvents) });
  opened.defer(() => kysely[Symbol.dispose]());
  opened.defer(() => db.destroy());
  const loop = openConnection(file, { durability: options.durability, busyTimeoutMs: 0, checkpoints: false });
  opened.defer(() => loop.close());
  const watch = watchGeneration(loop, db);

  const instanceId = await announceInstance(options, db, opened);
  const journal = openJournal(options, file, loop, db, instanceId, opened);

  const recover = (): Promise<RecoveryReport> =>
    recoverHolds({
      db,
      clock: options.clock,
      instanceId,
      takeLock: (id) => takeInstanceLock(options.dataDir, id),
      settle: writeClosings,
      finish: finishInstance,
    });
  const recoverAndTell = async (): Promise<void> => {
    try {
      const report = await recover();
      if (report.attempts > 0) options.events?.recovered?.(report);
    } catch (error) {
      options.events?.failed?.("recovery", error);
    }
  };
  await recoverAndTell();
  opened.use(repeat(options.clock, options.recoveryIntervalMs ?? RECOVERY_INTERVAL_MS, recoverAndTell));

  const resources = opened.move();
  return {
    db,
    journalDb: db,
    journal,
    keys: createSqliteKeyReader(loop, db, watch),
    allowances: createSqliteAllowanceReader(loop, db, watch, dialectEvents.onOutOfRange),
    bank: createSqlBank({ db, now: () => sql<number>`${options.clock.wallMs()}`, unavailable: storageUnavailable }),
    instanceId,
    queueLength: () => journal.queueLength,
    delivered: async () => {},
    recoverHolds: recover,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Waits, blocking, for another process that migrates the same file; from then on never for long. */
function openMigrated(file: string, durability: ConnectionOptions["durability"], checkpoints: boolean): DatabaseSync {
  const connection = openConnection(file, { durability, checkpoints, busyTimeoutMs: BUSY_MAX_MS });
  try {
    migrate(connection, file);
    connection.exec(`PRAGMA busy_timeout = ${BUSY_STEP_MS}`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Locks first, announces second: an announced instance whose lock is free is dead. */
async function announceInstance(
  options: StoreOptions,
  db: Kysely<Database>,
  opened: AsyncDisposableStack,
): Promise<string> {
  const instanceId = options.ids.next("ins");
  const lock = takeInstanceLock(options.dataDir, instanceId);
  assert(lock !== null, "an instance's id is new, so nobody else holds its lock");
  opened.defer(() => lock.release());
  await db.insertInto("instances").values({ id: instanceId, started_at_ms: options.clock.wallMs() }).execute();
  opened.defer(async () => {
    // With holds left (their closing was refused) or grants, it stays announced, for the next recovery to settle them.
    const ownHolds = db.selectFrom("holds").where("instance_id", "=", instanceId).select("attempt_id");
    const ownGrants = db
      .selectFrom("allowance_grants as grant")
      .innerJoin("allowance_owners as owner", "owner.owner_id", "grant.owner_id")
      .where("owner.instance_id", "=", instanceId)
      .select("grant.account_id");
    await db
      .deleteFrom("instances")
      .where("id", "=", instanceId)
      .where((row) => row.not(row.or([row.exists(ownHolds), row.exists(ownGrants)])))
      .execute();
  });
  return instanceId;
}

function openJournal(
  options: StoreOptions,
  file: string,
  loop: DatabaseSync,
  db: Kysely<Database>,
  instanceId: string,
  opened: AsyncDisposableStack,
): SqliteJournal {
  const sums = createClosingSums(loop, db, () => options.clock.wallMs());
  const journal: SqliteJournal = new SqliteJournal({
    writer: createBatchWriter(loop, prepareJournalStatements(loop, db, instanceId, sums)),
    clock: options.clock,
    queueLengthMax: options.queueLengthMax ?? QUEUE_LENGTH_MAX,
    busyMaxMs: BUSY_MAX_MS,
    lateClosingsMax: options.lateClosingsMax ?? LATE_CLOSINGS_MAX,
    onCommit: (operations) => checkpointer.committed(operations),
    onLateClosing: (state, { record, entries }) => options.events?.lateClosing?.(state, record, entries),
  });
  const checkpointer = startCheckpointer(
    {
      file,
      logBytesMax: options.logBytesMax ?? LOG_BYTES_MAX,
      onFailure: (reason) => options.events?.failed?.("checkpoint", reason),
      onDeath(error) {
        loop.exec("PRAGMA wal_autocheckpoint = 1000");
        options.events?.failed?.("checkpoint", error);
      },
    },
    journal,
  );
  opened.use(checkpointer);
  opened.defer(() => {
    loop.exec(`PRAGMA busy_timeout = ${BUSY_STEP_MS}`);
    return journal.flushAndClose();
  });
  return journal;
}
