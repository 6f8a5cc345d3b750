/**
 * The file of one machine beside the shared database: `journal.db` in its data directory. It has the journal's tables
 * (requests and entries only until they are delivered), a copy of the control tables, and the tables below.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Generated } from "kysely";
import { controlTables } from "../sqlite/migrations/0001-control-tables.ts";
import { journalTables } from "../sqlite/migrations/0001-journal-tables.ts";

/** For `withTables`, beside those of `Database`. */
export type LocalTables = {
  readonly outbox: OutboxTable;
  readonly refused_deliveries: RefusedDeliveriesTable;
  readonly departed_instances: DepartedInstancesTable;
  readonly shared_database: SharedDatabaseTable;
};

/** Closings that the shared database has not confirmed yet. Their rows are in `requests` and `ledger_entries`. */
type OutboxTable = {
  /** In the order of commits; never given twice. */
  sequence: Generated<number>;
  /** Whose process delivers it: it lives, or will be found dead. */
  instance_id: string;
  request_id: string;
  /** JSON list. */
  entry_ids: string;
  /** JSON list of `[ownerId, accountId, fromGrant as text, overdraft as text]`; `null` when there are none. */
  moves: string | null;
  /** 1: charges holds that their process left behind. They count even if the request was recorded before. */
  left_behind: number;
};

/** Closings that the shared database refuses for what is in them, kept for a person to look at. */
type RefusedDeliveriesTable = {
  sequence: number;
  request_id: string;
  reason: string;
};

/** Dead processes: once the outbox is delivered up to `sequence`, what they were granted and did not use is free. */
type DepartedInstancesTable = {
  id: string;
  /** Who sees to it. */
  instance_id: string;
  sequence: number;
};

/** Which database this file belongs to. */
type SharedDatabaseTable = {
  id: 1;
  database_id: string;
};

/** Nothing is copied yet: the shared database begins with generation 1. */
const ownTables = `
UPDATE control_version SET generation = 0;

CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  entry_ids TEXT NOT NULL,
  moves TEXT,
  left_behind INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_instance ON outbox (instance_id, sequence);

CREATE TABLE refused_deliveries (
  sequence INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;

CREATE TABLE departed_instances (
  id TEXT PRIMARY KEY,
  instance_id TEXT NOT NULL,
  sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE shared_database (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  database_id TEXT NOT NULL
) STRICT;
`;

/** In order; the position is the version. Never edited or reordered after a release: append. */
export const localMigrations: readonly string[] = [controlTables + journalTables + ownTables];

export function localFile(dataDir: string): string {
  return join(dataDir, "journal.db");
}

export function localFileExists(dataDir: string): boolean {
  return existsSync(localFile(dataDir));
}
