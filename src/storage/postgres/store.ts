/**
 * The PostgreSQL store of one process. Requests see the machine's own file only: the journal, and a copy of the control
 * tables. In the background the outbox delivers what was closed, the replica copies what was changed, and the bank is
 * asked for grants. While the database is away each of them tries again, and requests go on from what is there.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import type { AnswerTables } from "../answers/answer-tables.ts";
import { createSqlAnswers } from "../answers/sql-answers.ts";
import type { Journal } from "../records.ts";
import { keepRecovering } from "../recovery.ts";
import { takeInstanceLock } from "../sqlite/instance-lock.ts";
import { type Announced, openJournalFile } from "../sqlite/journal-file.ts";
import type { PostgresOptions, Store, StoreOptions } from "../storage.ts";
import { localFile, localMigrations } from "./local-tables.ts";
import { join } from "./membership.ts";
import { createSharedNews } from "./news.ts";
import { adopt } from "./outbox/local-books.ts";
import { enqueueLeftBehind } from "./outbox/enqueue.ts";
import { storageUnavailable } from "./failures.ts";
import type { Outbox } from "./outbox/outbox.ts";
import { endsWithin } from "./patience.ts";
import { copyAtStart } from "./replica/first-copy.ts";
import { listen } from "./replica/listener.ts";
import { keepReplica, type Replica } from "./replica/replica.ts";
import { serverTime } from "./shared-database.ts";

/** How long who changes a key or a budget waits for this machine to know it. Others take as long as they take. */
const OWN_CHANGE_MS = 2000;
const OUTBOX_LENGTH_MAX = 1_000_000;

/** Rejects with `storage_unusable`. */
export async function openPostgresStore(options: StoreOptions, postgres: PostgresOptions): Promise<Store> {
  const { clock, dataDir, events = {} } = options;
  await using opened = new AsyncDisposableStack();
  const news = createSharedNews(events);
  let replica: Replica | null = null;
  const onControlChange = async (): Promise<void> => {
    if (replica !== null) await endsWithin(clock, OWN_CHANGE_MS, replica.refresh());
  };
  const memberOptions = { postgres, dataDir, clock, events, news, onControlChange };
  const engine = {
    file: localFile(dataDir),
    migrations: localMigrations,
    join: (process: Announced, stack: AsyncDisposableStack) => join(memberOptions, process, stack),
  };
  const file = await openJournalFile(options, engine, opened);
  const { shared, outbox, bank } = file.side;

  news.tell(await copyAtStart(shared.work, file.db));
  replica = keepReplica({ local: file.db, shared: shared.work, clock, onAttempt: (failure) => news.tell(failure) });
  opened.use(replica);
  opened.use(listen(postgres.url, clock, () => replica?.wake()));

  const recovery = await keepRecovering(
    {
      db: file.db,
      clock,
      instanceId: file.instanceId,
      takeLock: (id) => takeInstanceLock(dataDir, id),
      settle: (transaction, closings) => enqueueLeftBehind(transaction, file.instanceId, closings),
      finish: (transaction, deadId) => adopt(transaction, deadId, file.instanceId),
      recovered: () => outbox.adopted(),
    },
    options,
  );
  opened.use(recovery);

  opened.defer(() => file.closing());
  const resources = opened.move();
  return {
    db: shared.db,
    journalDb: file.db,
    journal: boundedBy(outbox, options.outboxLengthMax ?? OUTBOX_LENGTH_MAX, file.journal),
    keys: file.keys,
    allowances: file.allowances,
    bank,
    answers: createSqlAnswers({
      db: async () => shared.work.withTables<AnswerTables>(),
      instanceId: file.instanceId,
      now: serverTime,
      unavailable: storageUnavailable,
    }),
    cachePurges: file.cachePurges,
    instanceId: file.instanceId,
    queueLength: () => file.journal.queueLength,
    delivered: () => outbox.delivered(),
    closing: () => file.closing(),
    recoverHolds: () => recovery.recover(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** New calls are refused while more is waiting than the machine may keep. */
function boundedBy(outbox: Outbox, lengthMax: number, journal: Journal): Journal {
  return {
    open: (hold) => (outbox.length < lengthMax ? journal.open(hold) : Promise.reject(outboxFull(outbox.length))),
    extend: (extension) => journal.extend(extension),
    close: (record, entries, moves) => journal.close(record, entries, moves),
  };
}

function outboxFull(length: number): HeadgateError {
  return new HeadgateError(
    "storage_unavailable",
    `${length} records wait for the shared database, and no more calls are made until it takes them.`,
    { retryAfterMs: 5000 },
  );
}
