/**
 * The shared database as one process uses it: one pool of connections, and two ways to it. `db` is for people's
 * questions, which may take a while; `work` for what goes on all the time, and gives up early, so that a server that
 * went silent is left for a new connection within seconds.
 */
import { Kysely, sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { Pool } from "pg";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Database } from "../schema.ts";
import type { OutOfRange } from "../sqlite/integers.ts";
import type { PostgresOptions } from "../storage.ts";
import { createPostgresDialect } from "./dialect.ts";
import { isRefused, reasonOf, toStorageError } from "./failures.ts";
import { migrate, readSchema } from "./migrations.ts";
import { createPool } from "./pool.ts";

export interface SharedDatabase extends AsyncDisposable {
  readonly db: Kysely<Database>;
  readonly work: Kysely<Database>;
  /**
   * Connects and brings the schema up to date. Rejects with `storage_unavailable` where time may help, else with
   * `storage_unusable`.
   */
  prepare(): Promise<void>;
}

export interface SharedDatabaseEvents {
  readonly onOutOfRange: OutOfRange;
  /** A change of the control tables was committed; whoever made it goes on when this resolves. */
  readonly onControlChange: () => Promise<void>;
  /** Which database answers. Before anything else is asked of it; rejects if it is not the right one. */
  readonly recognise: (databaseId: string) => Promise<void>;
}

const QUESTION_TIMEOUT_MS = 60_000;
const WORK_TIMEOUT_MS = 5000;

/** The server's time in whole ms since the epoch: one clock for all machines. */
export function serverTime(): RawBuilder<number> {
  return sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
}

/** Opens no connection yet. */
export function createSharedDatabase(options: PostgresOptions, events: SharedDatabaseEvents): SharedDatabase {
  const pool = createPool(options);
  const prepare = createPreparation(pool, events.recognise);
  const open = (timeoutMs: number): Kysely<Database> => {
    const dialect = createPostgresDialect({ pool, timeoutMs, prepare, onDestroy: async () => {}, ...events });
    return new Kysely<Database>({ dialect });
  };
  return {
    db: open(QUESTION_TIMEOUT_MS),
    work: open(WORK_TIMEOUT_MS),
    prepare,
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

/** For a command: `destroy` closes its connections. */
export function openPostgresDatabase(options: PostgresOptions): Kysely<Database> {
  const pool = createPool({ ...options, connectionsMax: 2 });
  const dialect = createPostgresDialect({
    pool,
    timeoutMs: QUESTION_TIMEOUT_MS,
    prepare: createPreparation(pool, async () => {}),
    onControlChange: async () => {},
    onOutOfRange: () => {},
    onDestroy: () => pool.end(),
  });
  return new Kysely<Database>({ dialect });
}

/** Once it has succeeded it does nothing. */
function createPreparation(pool: Pool, recognise: SharedDatabaseEvents["recognise"]): () => Promise<void> {
  let prepared = false;
  return async () => {
    if (prepared) return;
    try {
      await migrate(pool);
      await recognise((await readSchema(pool)).databaseId);
      prepared = true;
    } catch (error) {
      throw isRefused(error) ? refusal(error) : toStorageError(error);
    }
  };
}

function refusal(error: unknown): HeadgateError {
  return new HeadgateError(
    "storage_unusable",
    `The shared database does not let Headgate in: ${reasonOf(error)}. Correct \`storage.postgres\`, or the user and database that it names.`,
    { cause: error },
  );
}
