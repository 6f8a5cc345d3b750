/** Machines on one PostgreSQL database, each through a connection that a test can cut. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kysely } from "kysely";
import type { Database } from "../../../src/storage/schema.ts";
import {
  type DatabaseOptions,
  openDatabase,
  openStore,
  type Store,
  type StoreOptions,
} from "../../../src/storage/storage.ts";
import { createFirstKey } from "../../../src/tenancy/first-key.ts";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { clock, ids } from "../../contract/engines.ts";
import { openTestPostgres, type TestPostgres } from "../../support/postgres.ts";
import { type PostgresProxy, startPostgresProxy } from "../../support/postgres/proxy.ts";

export interface Scene extends AsyncDisposable {
  readonly proxy: PostgresProxy;
  /** The shared database, by a connection that is never cut. */
  readonly db: Kysely<Database>;
  optionsOf(machine: string): DatabaseOptions;
  /** A gateway process on a machine, which has a data directory of its own. */
  openMachine(machine: string, options?: Partial<StoreOptions>): Promise<Store>;
}

export async function openScene(): Promise<Scene> {
  const database = await openTestPostgres();
  return sceneOn(database);
}

/** On a server of the test's own. */
export async function sceneOn(database: TestPostgres): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), "headgate-machines-"));
  const proxy = await startPostgresProxy(database.url);
  const db = openDatabase({ dataDir: root, durability: "process", postgres: { url: database.url } });
  const optionsOf = (machine: string): DatabaseOptions => ({
    dataDir: join(root, machine),
    durability: "process",
    postgres: { url: proxy.url, connectionsMax: 5 },
  });
  return {
    proxy,
    db,
    optionsOf,
    openMachine: (machine, options) => openStore({ ...optionsOf(machine), clock, ids, ...options }),
    async [Symbol.asyncDispose]() {
      await db.destroy();
      await proxy[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A tenant, a project and a key, made by `store`. */
export async function createKey({ db }: Store): Promise<{ readonly hash: string }> {
  await createFirstKey({ db, clock, ids, randomFill: systemRandomFill });
  return db.selectFrom("api_keys").select("hash").executeTakeFirstOrThrow();
}
