/**
 * Kysely on `node:sqlite`: one connection, which Kysely lends to one user at a time. Queries run synchronously, so
 * an abort signal has nothing to interrupt.
 *
 * Transactions take the write lock when they begin (`BEGIN IMMEDIATE`), because a transaction that starts by reading
 * cannot wait for another writer later; one declared `read only` does not.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import { narrowIntegers } from "./integers.ts";

/** @param onWrite called after each statement that may have changed the file, and after each commit. */
export function createSqliteDialect(connection: DatabaseSync, onWrite: () => void): Dialect {
  return {
    createDriver: () => createDriver(connection, onWrite),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

function createDriver(connection: DatabaseSync, onWrite: () => void): Driver {
  const lent = createDatabaseConnection(connection, onWrite);
  const execute = (sql: string) => lent.executeQuery(CompiledQuery.raw(sql));
  return {
    init: async () => {},
    acquireConnection: async () => lent,
    releaseConnection: async () => {},
    async beginTransaction(_connection, settings) {
      await execute(settings.accessMode === "read only" ? "BEGIN" : "BEGIN IMMEDIATE");
    },
    async commitTransaction() {
      await execute("COMMIT");
    },
    async rollbackTransaction() {
      // A full disk or a failed write has already ended the transaction.
      if (connection.isTransaction) await execute("ROLLBACK");
    },
    async destroy() {
      connection.close();
    },
  };
}

function createDatabaseConnection(connection: DatabaseSync, onWrite: () => void): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const statement = connection.prepare(query.sql, { readBigInts: true });
      const parameters = query.parameters as readonly SQLInputValue[];
      if (statement.columns().length > 0) {
        const rows = statement.all(...parameters).map(narrowIntegers) as Row[];
        if (query.query.kind !== "SelectQueryNode") onWrite();
        return { rows };
      }
      const { changes } = statement.run(...parameters);
      onWrite();
      return { rows: [], numAffectedRows: BigInt(changes) };
    },
    async *streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncGenerator<QueryResult<Row>> {
      const statement = connection.prepare(query.sql, { readBigInts: true });
      let rows: Row[] = [];
      for (const row of iterate(statement, query)) {
        rows.push(narrowIntegers(row) as Row);
        if (rows.length < chunkSize) continue;
        yield { rows };
        rows = [];
      }
      if (rows.length > 0) yield { rows };
    },
  };
}

function iterate(statement: StatementSync, query: CompiledQuery): Iterable<Record<string, unknown>> {
  return statement.iterate(...(query.parameters as readonly SQLInputValue[]));
}
