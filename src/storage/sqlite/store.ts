/**
 * The SQLite store: the journal's file is everything. What closings take from allowances and add to the usage by hour
 * is written in the journal's own transactions.
 */
import { Kysely, sql } from "kysely";
import { createAnswersFile } from "../answers/answers-file.ts";
import { writeClosings } from "../closings.ts";
import { createSqlBank } from "../escrow/sql-bank.ts";
import { finishInstance, keepRecovering } from "../recovery.ts";
import type { Database } from "../schema.ts";
import type { DatabaseOptions, Store, StoreOptions } from "../storage.ts";
import { createSqliteDialect } from "./dialect.ts";
import { storageUnavailable } from "./failures.ts";
import { takeInstanceLock } from "./instance-lock.ts";
import { createClosingSums } from "./journal/closing-sums.ts";
import { type Announced, openJournalFile, openMigrated } from "./journal-file.ts";
import { storeFile } from "./store-file.ts";

export function openSqliteDatabase(options: DatabaseOptions): Kysely<Database> {
  const connection = openMigrated(storeFile(options.dataDir), { durability: options.durability, checkpoints: true });
  return new Kysely<Database>({
    dialect: createSqliteDialect(connection, { onWrite: () => {}, onOutOfRange: () => {} }),
  });
}

export async function openSqliteStore(options: StoreOptions): Promise<Store> {
  const { clock } = options;
  await using opened = new AsyncDisposableStack();
  const engine = {
    file: storeFile(options.dataDir),
    join: ({ loop, db, instanceId: id }: Announced) => ({
      effects: createClosingSums(loop, db, () => clock.wallMs()),
      committed: () => {},
      isSettled: () => hasNoGrants(db, id),
    }),
  };
  const file = await openJournalFile(options, engine, opened);
  const { db, instanceId, journal, closing } = file;
  const recovery = await keepRecovering(
    {
      db,
      clock,
      instanceId,
      takeLock: (id) => takeInstanceLock(options.dataDir, id),
      settle: (transaction, closings) => writeClosings(transaction, closings, clock.wallMs()),
      finish: finishInstance,
    },
    options,
  );
  opened.use(recovery);
  const kept = createAnswersFile({
    dataDir: options.dataDir,
    clock,
    instanceId,
    instances: () => listInstances(db),
    events: options.events,
  });
  opened.use(kept);

  opened.defer(closing);
  const resources = opened.move();
  return {
    db,
    journalDb: db,
    journal,
    keys: file.keys,
    allowances: file.allowances,
    bank: createSqlBank({ db, now: () => sql<number>`${clock.wallMs()}`, unavailable: storageUnavailable }),
    answers: kept.answers,
    cachePurges: file.cachePurges,
    instanceId,
    queueLength: () => journal.queueLength,
    delivered: async () => {},
    closing,
    recoverHolds: () => recovery.recover(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Those that may be alive. */
async function listInstances(db: Kysely<Database>): Promise<readonly string[]> {
  return (await db.selectFrom("instances").select("id").execute()).map(({ id }) => id);
}

async function hasNoGrants(db: Kysely<Database>, instanceId: string): Promise<boolean> {
  const grant = await db
    .selectFrom("allowance_grants as grant")
    .innerJoin("allowance_owners as owner", "owner.owner_id", "grant.owner_id")
    .where("owner.instance_id", "=", instanceId)
    .select("grant.account_id")
    .executeTakeFirst();
  return grant === undefined;
}
