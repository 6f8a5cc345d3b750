/**
 * Kysely on `node:sqlite`: one connection, which Kysely lends to one user at a time. Queries run synchronously, so
 * an abort signal has nothing to interrupt.
 *
 * Transactions take the write lock when they begin (`BEGIN IMMEDIATE`), because a transaction that starts by reading
 * cannot wait for another writer later; one declared `read only` does not.
 *
 * Waiting for another writer is done in small steps with turns of the event loop between them: the writer may be
 * another connection of this very process, which could not go on while this one blocked the thread. How long they wait
 * in all is up to lock-patience.ts.
 */
import { setImmediate } from "node:timers/promises";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import { isBusy } from "./failures.ts";
import { createStatementCache, type StatementCache } from "./statement-cache.ts";
import { narrowIntegers, type OutOfRange } from "./integers.ts";
import { createLockPatience, type LockPatience } from "./lock-patience.ts";

export interface SqliteDialectEvents {
  /** After each statement that may have changed the file, and after each commit. */
  readonly onWrite: () => void;
  /** A row held a count beyond a number's exact range; the nearest exact number is read instead. */
  readonly onOutOfRange: OutOfRange;
}

/** `patience`: the connection's own, see `createConnectionPatience`. */
export function createSqliteDialect(
  connection: DatabaseSync,
  events: SqliteDialectEvents,
  patience: LockPatience = createConnectionPatience(connection),
): Dialect {
  return {
    createDriver: () => createDriver(connection, events, patience),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/** With which the statements of `connection` wait for other writers. `isOver`: see lock-patience.ts. Default: never. */
export function createConnectionPatience(connection: DatabaseSync, isOver: () => boolean = () => false): LockPatience {
  const readDataVersion = connection.prepare("PRAGMA data_version");
  return createLockPatience(() => readDataVersion.get()?.["data_version"], isOver);
}

function createDriver(connection: DatabaseSync, events: SqliteDialectEvents, patience: LockPatience): Driver {
  const lent = createDatabaseConnection(connection, events, patience);
  const run = (sql: string): Promise<unknown> => lent.executeQuery(CompiledQuery.raw(sql));
  return {
    init: async () => {},
    acquireConnection: async () => lent,
    releaseConnection: async () => {},
    async beginTransaction(_connection, settings) {
      const reads = settings.accessMode === "read only";
      await run(reads ? "BEGIN" : "BEGIN IMMEDIATE");
      if (!reads) patience.wrote();
    },
    async commitTransaction() {
      await run("COMMIT");
    },
    async rollbackTransaction() {
      // A full disk or a failed write has already ended the transaction.
      if (connection.isTransaction) await run("ROLLBACK");
    },
    async destroy() {
      connection.close();
    },
  };
}

function createDatabaseConnection(
  connection: DatabaseSync,
  events: SqliteDialectEvents,
  patience: LockPatience,
): DatabaseConnection {
  const statements = createStatementCache(connection);
  return {
    async executeQuery<Row>(query: CompiledQuery) {
      const result = await retryWhileBusy(connection, patience, () => execute<Row>(statements, query, events));
      if (writes(query)) patience.wrote();
      return result;
    },
    async *streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncGenerator<QueryResult<Row>> {
      const statement = connection.prepare(query.sql, { readBigInts: true });
      let rows: Row[] = [];
      for (const row of iterate(statement, query)) {
        rows.push(narrowIntegers(row, events.onOutOfRange) as Row);
        if (rows.length < chunkSize) continue;
        yield { rows };
        rows = [];
      }
      if (rows.length > 0) yield { rows };
    },
  };
}

/** Outside a transaction a statement that met another writer has done nothing, so it can be repeated. */
async function retryWhileBusy<T>(connection: DatabaseSync, patience: LockPatience, act: () => T): Promise<T> {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || connection.isTransaction || !patience.metLock()) throw error;
    }
    await setImmediate();
  }
}

/** Not told of raw statements, some of which only read. */
function writes({ query }: CompiledQuery): boolean {
  return query.kind !== "SelectQueryNode" && query.kind !== "RawNode";
}

function execute<Row>(
  statements: StatementCache,
  query: CompiledQuery,
  { onWrite, onOutOfRange }: SqliteDialectEvents,
): QueryResult<Row> {
  const { statement, returnsRows } = statements.find(query.sql);
  const parameters = query.parameters as readonly SQLInputValue[];
  if (returnsRows) {
    const rows = statement.all(...parameters).map((row) => narrowIntegers(row, onOutOfRange)) as Row[];
    if (query.query.kind !== "SelectQueryNode") onWrite();
    return { rows };
  }
  const { changes } = statement.run(...parameters);
  onWrite();
  return { rows: [], numAffectedRows: BigInt(changes) };
}

function iterate(statement: StatementSync, query: CompiledQuery): Iterable<Record<string, unknown>> {
  return statement.iterate(...(query.parameters as readonly SQLInputValue[]));
}
