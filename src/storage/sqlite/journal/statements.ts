/**
 * The journal's statements: written as Kysely queries, compiled once, executed synchronously with positional
 * parameters. Both run inside the caller's transaction and throw what SQLite throws.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CompiledQuery, Kysely } from "kysely";
import { columnNames, holdColumns, ledgerEntryColumns, requestColumns } from "../../columns.ts";
import type { Bound, ColumnReaders } from "../../columns.ts";
import type { Hold, LedgerEntry, RequestRecord } from "../../records.ts";
import type { Database } from "../../schema.ts";

export interface JournalStatements {
  open(hold: Hold): void;
  close(record: RequestRecord, entries: readonly LedgerEntry[]): void;
}

export function prepareJournalStatements(
  connection: DatabaseSync,
  db: Kysely<Database>,
  instanceId: string,
): JournalStatements {
  const prepare = (query: { compile(): CompiledQuery }): StatementSync => connection.prepare(query.compile().sql);
  const deleteHold = prepare(db.deleteFrom("holds").where("attempt_id", "=", ""));
  const insertHold = createInsert(
    prepare(db.insertInto("holds").values({ ...placeholders(holdColumns), instance_id: instanceId })),
    holdColumns,
    [instanceId],
  );
  const insertEntry = createInsert(
    prepare(db.insertInto("ledger_entries").values(placeholders(ledgerEntryColumns))),
    ledgerEntryColumns,
  );
  const insertRequest = createInsert(
    prepare(
      db
        .insertInto("requests")
        .values(placeholders(requestColumns))
        .onConflict((conflict) => conflict.column("request_id").doNothing()),
    ),
    requestColumns,
  );
  return {
    open: (hold) => void insertHold(hold),
    close(record, entries) {
      const alreadyClosed = insertRequest(record) === 0;
      if (alreadyClosed) return;
      for (const entry of entries) {
        deleteHold.run(entry.attemptId);
        insertEntry(entry);
      }
    },
  };
}

/** Returns a function that inserts one record and returns how many rows that made. */
function createInsert<Row, Subject>(
  statement: StatementSync,
  columns: ColumnReaders<Row, Subject>,
  constants: readonly Bound[] = [],
): (subject: Subject) => number {
  const readers = Object.values(columns) as readonly ((subject: Subject) => Bound)[];
  const parameters: Bound[] = [...readers.map(() => null), ...constants];
  return (subject) => {
    for (let index = 0; index < readers.length; index++) {
      const read = readers[index];
      if (read !== undefined) parameters[index] = read(subject);
    }
    return Number(statement.run(...parameters).changes);
  };
}

/** A row whose values are never used: only its column order reaches the compiled statement. */
function placeholders<Row, Subject>(columns: ColumnReaders<Row, Subject>): Row {
  return Object.fromEntries(columnNames(columns).map((name) => [name, null])) as Row;
}
