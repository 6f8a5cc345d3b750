/**
 * Kysely on a pool of PostgreSQL connections. Rows come with amounts as bigint and every other integer as number, as
 * on every engine. What passes with time rejects with `storage_unavailable`.
 *
 * Before the first connection is lent `prepare` must have succeeded; until it has, each user tries it again.
 *
 * A transaction that raises the control version is told to `onControlChange` once it is committed, and whoever made
 * the change goes on when that is done.
 */
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import type { DatabaseConnection, Dialect, Driver } from "kysely";
import type { Pool } from "pg";
import type { OutOfRange } from "../sqlite/integers.ts";
import { PostgresConnection } from "./connection.ts";
import { toStorageError } from "./failures.ts";

export interface PostgresDialectOptions {
  readonly pool: Pool;
  /** How long one statement is waited for. */
  readonly timeoutMs: number;
  /** Brings the schema up to date. */
  readonly prepare: () => Promise<void>;
  readonly onControlChange: () => Promise<void>;
  /** What is made with the dialect is given up. */
  readonly onDestroy: () => Promise<void>;
  /** A row held a count beyond a number's exact range; the nearest exact number is read instead. */
  readonly onOutOfRange: OutOfRange;
}

export function createPostgresDialect(options: PostgresDialectOptions): Dialect {
  return {
    createDriver: () => createDriver(options),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

function createDriver(options: PostgresDialectOptions): Driver {
  return {
    init: () => options.prepare(),
    async acquireConnection() {
      try {
        return new PostgresConnection(await options.pool.connect(), options.timeoutMs, options.onOutOfRange);
      } catch (error) {
        throw toStorageError(error);
      }
    },
    async beginTransaction(connection, { isolationLevel, accessMode }) {
      const level = isolationLevel === undefined ? "" : ` isolation level ${isolationLevel}`;
      await own(connection).begin(`begin${level}${accessMode === undefined ? "" : ` ${accessMode}`}`);
    },
    commitTransaction: (connection) => own(connection).commit(),
    rollbackTransaction: (connection) => own(connection).rollBack(),
    async releaseConnection(connection) {
      const { changedControl } = own(connection);
      own(connection).release();
      if (changedControl) await options.onControlChange();
    },
    destroy: () => options.onDestroy(),
  };
}

/** Kysely hands back what `acquireConnection` gave it. */
function own(connection: DatabaseConnection): PostgresConnection {
  return connection as PostgresConnection;
}
