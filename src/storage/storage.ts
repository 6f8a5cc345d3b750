/**
 * The store: everything durable. `openStore` is for a gateway process, `openDatabase` for a command that reads or
 * changes something and leaves.
 *
 * A gateway process announces itself as an instance, so that what it leaves held when it dies is found and charged
 * by whoever opens the store next. The engine is SQLite, or PostgreSQL beside a SQLite file on each machine. What is
 * particular to one lives in `sqlite/` and `postgres/`; everything else here is written against `Database` and is the
 * same on every engine.
 */
import type { Kysely } from "kysely";
import type { StorageConfig } from "../config/config.ts";
import type { Clock } from "../kernel/clock.ts";
import type { IdSource } from "../kernel/ids.ts";
import type { AllowanceReader } from "./allowance-reader.ts";
import type { AnswerStore } from "./answers/answers.ts";
import type { PurgeReader } from "./answers/cache-purges.ts";
import type { Bank } from "./escrow/bank.ts";
import type { KeyReader } from "./key-reader.ts";
import type { Journal, LedgerEntry, RequestRecord } from "./records.ts";
import type { RecoveryReport } from "./recovery.ts";
import type { Database } from "./schema.ts";
import { openPostgresDatabase } from "./postgres/shared-database.ts";
import { openPostgresStore } from "./postgres/store.ts";
import { openSqliteDatabase, openSqliteStore } from "./sqlite/store.ts";

export interface DatabaseOptions {
  /** Created, readable by its owner only, if it is missing. */
  readonly dataDir: string;
  /** `process`: a commit survives the death of the process; `power`: also the loss of power (one disk sync a commit). */
  readonly durability: "process" | "power";
  /** The database that gateways on several machines share. Default: none, the store is a SQLite file in `dataDir`. */
  readonly postgres?: PostgresOptions;
}

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?…`. */
  readonly url: string;
  /** Connections that this process may have open at a time. Default 10. */
  readonly connectionsMax?: number;
}

export interface StoreOptions extends DatabaseOptions {
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Journal operations that may wait for a commit before new calls are refused. Default 10,000. */
  readonly queueLengthMax?: number;
  /** Closings that were refused and are kept until they can be written; above it the oldest is left to recovery. Default 10,000. */
  readonly lateClosingsMax?: number;
  /** With PostgreSQL: closings that may wait for it before new calls are refused. Default 1,000,000, some two gigabytes. */
  readonly outboxLengthMax?: number;
  /** How often the holds of dead processes are looked for. Default 30,000. */
  readonly recoveryIntervalMs?: number;
  /** Size of the write-ahead log above which writing pauses for a complete checkpoint. Default 64 MiB. */
  readonly logBytesMax?: number;
  /** Told what happens in the background. Default: nobody. */
  readonly events?: Partial<StoreEvents>;
}

export interface StoreEvents {
  /** Holds of dead processes were charged at their worst case. */
  readonly recovered: (report: RecoveryReport) => void;
  /**
   * Work in the background failed; the store goes on without it, or tries again. `count`: a stored count was too large to
   * read exactly. `departure`: the store was closed, but could not note that; the next recovery does.
   */
  readonly failed: (what: "checkpoint" | "recovery" | "count" | "delivery" | "departure", error: unknown) => void;
  /**
   * The database that gateways share cannot be reached, `error` says why, or can be again. Meanwhile requests go on
   * from what this machine has.
   */
  readonly sharedDatabase: (state: "lost" | "back", error: unknown) => void;
  /**
   * A `close` was refused although its calls were made: it is `kept` and tried again in the background. Later it is
   * `settled`, or `abandoned`: then its holds are charged at their worst case when this process is gone.
   */
  readonly lateClosing: (
    state: "kept" | "settled" | "abandoned",
    record: RequestRecord,
    entries: readonly LedgerEntry[],
  ) => void;
}

export interface Store extends AsyncDisposable {
  readonly db: Kysely<Database>;
  /** This machine's journal: `instances` and `holds`. The same as `db` where one file is the whole store. */
  readonly journalDb: Kysely<Database>;
  readonly journal: Journal;
  readonly keys: KeyReader;
  readonly allowances: AllowanceReader;
  readonly bank: Bank;
  readonly answers: AnswerStore;
  readonly cachePurges: PurgeReader;
  readonly instanceId: string;
  /** Journal operations that wait for their commit. */
  queueLength(): number;
  /** Resolves when all that `journal` has closed so far is in `db`: at once where one file is the whole store. */
  delivered(): Promise<void>;
  /**
   * To be called when the process is about to end, before whatever uses the store is closed; a second call changes
   * nothing. From now on all that meets another writer's lock on this machine's file, or waits for the shared database
   * to take what is left, has some five seconds together, and then fails at once.
   */
  closing(): void;
  /** Settles what dead processes left held. Done by `openStore` and every `recoveryIntervalMs` anyway. */
  recoverHolds(): Promise<RecoveryReport>;
}

/** Opens, migrates, recovers and announces this process. Disposing writes what is queued. Throws `storage_unusable`. */
export function openStore(options: StoreOptions): Promise<Store> {
  return options.postgres === undefined ? openSqliteStore(options) : openPostgresStore(options, options.postgres);
}

/** As the configuration names the store. */
export function databaseOptionsOf({
  dataDir,
  durability,
  postgres,
  postgresConnections,
}: StorageConfig): DatabaseOptions {
  if (postgres === null) return { dataDir, durability };
  return { dataDir, durability, postgres: { url: postgres.reveal(), connectionsMax: postgresConnections } };
}

/**
 * Opens and migrates, PostgreSQL with the first question. The owner calls `destroy()`. Throws `storage_unusable`, or
 * rejects the first question with it.
 */
export function openDatabase(options: DatabaseOptions): Kysely<Database> {
  return options.postgres === undefined ? openSqliteDatabase(options) : openPostgresDatabase(options.postgres);
}
