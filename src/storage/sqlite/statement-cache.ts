/** Statements of one connection, prepared once: preparing costs several times what running a short statement does. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

export interface CachedStatement {
  /** Reads integers as bigints. */
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

export interface StatementCache {
  /** Valid until the connection closes. Throws what SQLite throws for text that is no statement. */
  find(sql: string): CachedStatement;
}

/** Lists in conditions make texts of every length, so the number of texts is not bounded by itself. */
const STATEMENTS_MAX = 200;

export function createStatementCache(connection: DatabaseSync): StatementCache {
  const statements = new Map<string, CachedStatement>();
  return {
    find(sql) {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      if (statements.size >= STATEMENTS_MAX) statements.clear();
      const statement = connection.prepare(sql, { readBigInts: true });
      const prepared = { statement, returnsRows: statement.columns().length > 0 };
      statements.set(sql, prepared);
      return prepared;
    },
  };
}
