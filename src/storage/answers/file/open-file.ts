/**
 * The file of kept answers, opened. Connections:
 *   loop    what requests wait for, on the event loop: never waits for a lock, never checkpoints
 *   db      Kysely: everything else; may wait for another writer
 *   worker  checkpoints, in a thread, from the first commit on
 */
import { Kysely } from "kysely";
import type { Clock } from "../../../kernel/clock.ts";
import { openConnection } from "../../sqlite/connection.ts";
import { createSqliteDialect } from "../../sqlite/dialect.ts";
import { type Checkpointer, startCheckpointer } from "../../sqlite/journal/checkpointer.ts";
import { openMigrated } from "../../sqlite/journal-file.ts";
import type { StoreEvents } from "../../storage.ts";
import type { AnswerTables } from "../answer-tables.ts";
import { type AnswerStatements, prepareAnswerStatements } from "./answer-statements.ts";
import { GroupCommit } from "./group-commit.ts";
import { answersMigrations } from "./schema.ts";
import { createTransaction } from "./transaction.ts";

export interface OpenFileOptions {
  readonly clock: Clock;
  readonly instanceId: string;
  /**
   * Processes of this data directory that may be alive: claims of others were left by dead ones, and are dropped when the
   * file is opened. `null`, of a command: nobody's are.
   */
  readonly instances: (() => Promise<readonly string[]>) | null;
  /** Told of checkpoints that fail. Default: nobody. */
  readonly events?: Partial<StoreEvents> | undefined;
}

export interface OpenFile extends AsyncDisposable {
  readonly db: Kysely<AnswerTables>;
  readonly statements: AnswerStatements;
  /** For those that write. */
  readonly commits: GroupCommit;
}

/** Above it writing pauses for a complete checkpoint. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_BYTES = 4096;
/** Of a key or an answer, with its places in the indexes; what its body takes comes to that. */
const PAGES_PER_WRITING = 3;
/** Of a statement of `db`, which may drop many rows. */
const PAGES_PER_STATEMENT = 256;

/** Throws `storage_unusable`. */
export async function openFile(file: string, options: OpenFileOptions): Promise<OpenFile> {
  const { clock, instanceId, instances, events } = options;
  const living = await instances?.();
  await using opened = new AsyncDisposableStack();
  const isCommand = instances === null;
  const connection = openMigrated(file, { durability: "process", checkpoints: isCommand }, answersMigrations);
  opened.defer(() => connection[Symbol.dispose]());
  const written = isCommand ? () => {} : () => count(PAGES_PER_STATEMENT);
  const dialect = createSqliteDialect(connection, { onWrite: written, onOutOfRange: () => {} });
  const db = new Kysely<AnswerTables>({ dialect });
  opened.defer(() => db.destroy());
  const loop = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  opened.defer(() => loop.close());
  let checkpointer: Checkpointer | null = null;
  opened.defer(() => checkpointer?.[Symbol.asyncDispose]());
  const commits = new GroupCommit({
    transaction: createTransaction(loop),
    clock,
    onCommit: (writings, bytes) => count(writings * PAGES_PER_WRITING + bytes / PAGE_BYTES),
  });
  opened.defer(() => commits.flushAndClose());

  function count(pages: number): void {
    checkpointer ??= startCheckpointer(
      {
        file,
        logBytesMax: LOG_BYTES_MAX,
        onFailure: (reason) => events?.failed?.("checkpoint", reason),
        onDeath(error) {
          loop.exec("PRAGMA wal_autocheckpoint = 1000");
          events?.failed?.("checkpoint", error);
        },
      },
      commits,
    );
    checkpointer.committed(pages);
  }

  if (living !== undefined) await dropClaimsBut(db, [instanceId, ...living]);
  const statements = prepareAnswerStatements(loop, instanceId);
  const resources = opened.move();
  return { db, statements, commits, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function dropClaimsBut(db: Kysely<AnswerTables>, instanceIds: readonly string[]): Promise<void> {
  await db
    .deleteFrom("idempotency_keys")
    .where("state", "=", "running")
    .where("instance_id", "not in", instanceIds)
    .execute();
}
