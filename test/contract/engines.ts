/** The storage engines that every contract suite runs on, and how a test gets an empty store of each. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kysely } from "kysely";
import type { Clock } from "../../src/kernel/clock.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import type { IdSource } from "../../src/kernel/ids.ts";
import { openDatabase, openStore } from "../../src/storage/storage.ts";
import type { DatabaseOptions, Store, StoreOptions } from "../../src/storage/storage.ts";
import type { Database } from "../../src/storage/schema.ts";
import { openTestPostgres, postgresMissing } from "../support/postgres.ts";

export interface Engine {
  readonly name: string;
  /** A place for one empty store; disposing removes it. */
  createPlace(): Promise<Place>;
}

export interface Place extends AsyncDisposable {
  readonly dataDir: string;
  /** What a child process needs to open the same store: `JSON.stringify` keeps all of it. */
  readonly options: DatabaseOptions;
  /** As a gateway process does. May be called again: another gateway on the same store. */
  openStore(options?: Partial<StoreOptions>): Promise<Store>;
  /** As a command does. */
  openDatabase(): Kysely<Database>;
}

export const engines: readonly Engine[] = [
  { name: "sqlite", createPlace: createSqlitePlace },
  ...(postgresMissing === false ? [{ name: "postgres", createPlace: createPostgresPlace }] : []),
];

export const clock: Clock = createSystemClock();
export const ids: IdSource = createIdSource(systemRandomFill, () => clock.wallMs());

async function createSqlitePlace(): Promise<Place> {
  const { dataDir, remove } = createFolder();
  return placeOf({ dataDir, durability: "process" }, remove);
}

async function createPostgresPlace(): Promise<Place> {
  const database = await openTestPostgres();
  const { dataDir, remove } = createFolder();
  return placeOf({ dataDir, durability: "process", postgres: { url: database.url } }, async () => {
    await remove();
    await database[Symbol.asyncDispose]();
  });
}

function createFolder(): { readonly dataDir: string; remove(): Promise<void> } {
  const dataDir = mkdtempSync(join(tmpdir(), "headgate-contract-"));
  return { dataDir, remove: async () => rmSync(dataDir, { recursive: true, force: true }) };
}

function placeOf(options: DatabaseOptions, remove: () => Promise<void>): Place {
  return {
    dataDir: options.dataDir,
    options,
    openStore: (replaced) => openStore({ ...options, clock, ids, ...replaced }),
    openDatabase: () => openDatabase(options),
    [Symbol.asyncDispose]: remove,
  };
}
