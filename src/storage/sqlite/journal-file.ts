/**
 * A gateway process at the file of its data directory: it announces itself there, keeps its journal, and looks up keys
 * and allowances. With SQLite that file is the whole store, with PostgreSQL what a machine has of its own. Connections:
 *   loop    journal, lookups of keys and allowances, on the event loop, never waits for a lock, never checkpoints
 *   db      Kysely: everything else; may wait for another writer
 *   worker  checkpoints, in a thread
 *   lock    the instance lock, a file of its own
 */
import type { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { assert } from "../../kernel/assert.ts";
import type { AllowanceReader } from "../allowance-reader.ts";
import { createPurgeReader, type PurgeReader } from "../answers/cache-purges.ts";
import type { KeyReader } from "../key-reader.ts";
import type { Database } from "../schema.ts";
import type { StoreOptions } from "../storage.ts";
import { createSqliteAllowanceReader } from "./allowance-reader.ts";
import { openConnection } from "./connection.ts";
import type { ConnectionOptions } from "./connection.ts";
import { createConnectionPatience, createSqliteDialect, type SqliteDialectEvents } from "./dialect.ts";
import { watchGeneration } from "./generation.ts";
import { takeInstanceLock } from "./instance-lock.ts";
import { createBatchWriter } from "./journal/batch-writer.ts";
import { startCheckpointer } from "./journal/checkpointer.ts";
import { type ClosingTime, createClosingTime } from "./journal/closing-time.ts";
import { SqliteJournal } from "./journal/journal.ts";
import { type ClosingEffects, prepareJournalStatements } from "./journal/statements.ts";
import { createSqliteKeyReader } from "./key-reader.ts";
import { BUSY_STEP_MS } from "./lock-patience.ts";
import { migrate } from "./migrations.ts";

/** What an engine has of its own. */
export interface JournalFileEngine<Side extends EngineSide> {
  readonly file: string;
  /** Default: those of the whole store. */
  readonly migrations?: readonly string[];
  /** What it leaves to `opened` ends after the journal's last commit, and before the process is forgotten. */
  join(process: Announced, opened: AsyncDisposableStack): Side | Promise<Side>;
}

export interface EngineSide {
  /** What closings change beside their own rows. */
  readonly effects: ClosingEffects;
  /** After each commit of the journal. */
  committed(): void;
  /** At the end: whether there is nothing of this process, but for holds, that recovery would settle. */
  isSettled(): boolean | Promise<boolean>;
}

export interface Announced {
  readonly instanceId: string;
  readonly db: Kysely<Database>;
  readonly loop: DatabaseSync;
  readonly closingTime: ClosingTime;
}

export interface JournalFile<Side extends EngineSide> {
  readonly instanceId: string;
  readonly db: Kysely<Database>;
  readonly side: Side;
  readonly journal: SqliteJournal;
  readonly keys: KeyReader;
  readonly allowances: AllowanceReader;
  readonly cachePurges: PurgeReader;
  /** The process is about to end: from now on whatever meets another writer's lock waits some five seconds in all. */
  readonly closing: () => void;
}

const BUSY_MAX_MS = 5000;
const QUEUE_LENGTH_MAX = 10_000;
const LATE_CLOSINGS_MAX = 10_000;
const LOG_BYTES_MAX = 64 * 1024 * 1024;

/** Everything that it opens is closed by `opened`. Throws `storage_unusable`. */
export async function openJournalFile<Side extends EngineSide>(
  options: StoreOptions,
  engine: JournalFileEngine<Side>,
  opened: AsyncDisposableStack,
): Promise<JournalFile<Side>> {
  const { file } = engine;
  const kysely = openMigrated(file, { durability: options.durability, checkpoints: false }, engine.migrations);
  const dialectEvents: SqliteDialectEvents = {
    onWrite: () => watch.recheck(),
    onOutOfRange: (column, value) => options.events?.failed?.("count", `${column} holds ${value}`),
  };
  const closingTime = createClosingTime(options.clock);
  const patience = createConnectionPatience(kysely, () => closingTime.leftMs() === 0);
  const db = new Kysely<Database>({ dialect: createSqliteDialect(kysely, dialectEvents, patience) });
  opened.defer(() => kysely[Symbol.dispose]());
  opened.defer(() => db.destroy());
  const loop = openConnection(file, { durability: options.durability, busyTimeoutMs: 0, checkpoints: false });
  opened.defer(() => loop.close());
  const watch = watchGeneration(loop, db);

  let side: Side | null = null;
  const isSettled = async (): Promise<boolean> => side !== null && side.isSettled();
  const instanceId = await announceInstance(options, db, isSettled, opened);
  const process: Announced = { db, loop, instanceId, closingTime };
  side = await engine.join(process, opened);
  return {
    instanceId,
    db,
    side,
    journal: openJournal(options, file, process, side, opened),
    keys: createSqliteKeyReader(loop, db, watch),
    allowances: createSqliteAllowanceReader(loop, db, watch, dialectEvents.onOutOfRange),
    cachePurges: createPurgeReader(loop, db, watch),
    closing() {
      closingTime.begin();
      patience.end();
    },
  };
}

/** Waits, blocking, for another process that migrates the same file; from then on never for long. */
export function openMigrated(
  file: string,
  options: Omit<ConnectionOptions, "busyTimeoutMs">,
  migrations?: readonly string[],
): DatabaseSync {
  const connection = openConnection(file, { ...options, busyTimeoutMs: BUSY_MAX_MS });
  try {
    migrate(connection, file, migrations);
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
  isSettled: () => Promise<boolean>,
  opened: AsyncDisposableStack,
): Promise<string> {
  const instanceId = options.ids.next("ins");
  const lock = takeInstanceLock(options.dataDir, instanceId);
  assert(lock !== null, "an instance's id is new, so nobody else holds its lock");
  opened.defer(() => lock.release());
  await db.insertInto("instances").values({ id: instanceId, started_at_ms: options.clock.wallMs() }).execute();
  opened.defer(async () => {
    try {
      // With something left (the closing of a hold was refused, …) it stays announced, for the next recovery to settle it.
      if (await isSettled()) await forgetInstance(db, instanceId);
    } catch (error) {
      options.events?.failed?.("departure", error);
    }
  });
  return instanceId;
}

async function forgetInstance(db: Kysely<Database>, instanceId: string): Promise<void> {
  const ownHolds = db.selectFrom("holds").where("instance_id", "=", instanceId).select("attempt_id");
  await db
    .deleteFrom("instances")
    .where("id", "=", instanceId)
    .where((row) => row.not(row.exists(ownHolds)))
    .execute();
}

function openJournal(
  options: StoreOptions,
  file: string,
  { instanceId, db, loop, closingTime }: Announced,
  side: EngineSide,
  opened: AsyncDisposableStack,
): SqliteJournal {
  const journal: SqliteJournal = new SqliteJournal({
    writer: createBatchWriter(loop, prepareJournalStatements(loop, db, instanceId, side.effects)),
    clock: options.clock,
    queueLengthMax: options.queueLengthMax ?? QUEUE_LENGTH_MAX,
    busyMaxMs: BUSY_MAX_MS,
    isOver: () => closingTime.leftMs() === 0,
    lateClosingsMax: options.lateClosingsMax ?? LATE_CLOSINGS_MAX,
    onCommit(operations) {
      checkpointer.committed(operations);
      side.committed();
    },
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
