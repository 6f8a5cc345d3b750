/**
 * Opens a SQLite file the way every part of the gateway needs it: readable by its owner only, write-ahead log,
 * foreign keys checked, and a commit that survives what `durability` says.
 */
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HeadgateError } from "../../kernel/errors.ts";

export interface ConnectionOptions {
  /** `process`: a commit survives the death of the process. `power`: it is on the disk. */
  readonly durability: "process" | "power";
  /** How long a statement may block this thread for another writer; 0 fails at once. */
  readonly busyTimeoutMs: number;
  /** Whether this connection's commits may pay for a checkpoint; otherwise another connection must. */
  readonly checkpoints: boolean;
}

const SETUP_BUSY_TIMEOUT_MS = 10_000;
const AUTOCHECKPOINT_PAGES = 1000;

/** Creates the file and its folder where they are missing. Throws `storage_unusable`, saying why. */
export function openConnection(file: string, options: ConnectionOptions): DatabaseSync {
  try {
    createPrivately(file);
    const connection = new DatabaseSync(file, { timeout: SETUP_BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    connection.exec(
      `PRAGMA journal_mode = WAL;
       PRAGMA synchronous = ${options.durability === "power" ? "FULL" : "NORMAL"};
       PRAGMA wal_autocheckpoint = ${options.checkpoints ? AUTOCHECKPOINT_PAGES : 0};
       PRAGMA busy_timeout = ${options.busyTimeoutMs};`,
    );
    return connection;
  } catch (error) {
    throw new HeadgateError(
      "storage_unusable",
      `Cannot open the store ${file}: ${error instanceof Error ? error.message : String(error)}. ` +
        "Check that the data directory exists, belongs to the user that runs Headgate, and is on a local disk with free space.",
      { cause: error },
    );
  }
}

/**
 * Makes an empty file if there is none. SQLite gives its `-wal` and `-shm` files the permissions of the database file.
 * An existing file is not opened: closing it again would drop every POSIX lock that this process has on it.
 */
export function createPrivately(file: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
}
