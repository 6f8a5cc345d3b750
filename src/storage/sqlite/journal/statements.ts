/**
 * The journal's statements: written as Kysely queries, compiled once, executed synchronously with positional
 * parameters. All run inside the caller's transaction and throw what SQLite throws.
 *
 * What a closing changes besides its own rows is summed up over the transaction by the engine's `ClosingEffects`;
 * `flush` writes the sums before the commit. After it, `committed` is called; after a rollback `discard`, which forgets
 * what the transaction would have left behind in memory.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CompiledQuery, Kysely } from "kysely";
import { columnNames, growingColumns, holdColumns, ledgerEntryColumns, requestColumns } from "../../columns.ts";
import type { Bound, ColumnReaders } from "../../columns.ts";
import type { Move } from "../../escrow/bank.ts";
import type { Hold, HoldExtension, LedgerEntry, RequestRecord } from "../../records.ts";
import type { Database } from "../../schema.ts";
import { HeldAccounts } from "./held-accounts.ts";

export interface ClosingEffects {
  /** Of a request that was not closed before. The last entry is the last of its request. */
  add(record: RequestRecord, entries: readonly LedgerEntry[], moves: readonly Move[]): void;
  flush(): void;
  discard(): void;
}

export interface JournalStatements extends Pick<ClosingEffects, "flush" | "discard"> {
  open(hold: Hold): void;
  extend(extension: HoldExtension): void;
  close(record: RequestRecord, entries: readonly LedgerEntry[], moves: readonly Move[]): void;
  committed(): void;
}

export function prepareJournalStatements(
  connection: DatabaseSync,
  db: Kysely<Database>,
  instanceId: string,
  effects: ClosingEffects,
): JournalStatements {
  const prepare = (query: { compile(): CompiledQuery }): StatementSync => connection.prepare(query.compile().sql);
  const deleteHold = prepare(db.deleteFrom("holds").where("attempt_id", "=", ""));
  const accounts = new HeldAccounts(connection, instanceId);
  const ofProcess = { held_numbers: null, instance_id: instanceId };
  const insertHold = createBinder(
    prepare(db.insertInto("holds").values({ ...placeholders(holdColumns), ...ofProcess })),
    holdColumns,
  );
  const grown = { ...placeholders(growingColumns), held_numbers: null };
  const extendHold = createBinder(
    prepare(db.updateTable("holds").set(grown).where("attempt_id", "=", "")),
    growingColumns,
  );
  const insertEntry = createBinder(
    prepare(db.insertInto("ledger_entries").values({ ...placeholders(ledgerEntryColumns), last_of_request: 0 })),
    ledgerEntryColumns,
  );
  const insertRequest = createBinder(
    prepare(
      db
        .insertInto("requests")
        .values(placeholders(requestColumns))
        .onConflict((conflict) => conflict.column("request_id").doNothing()),
    ),
    requestColumns,
  );
  return {
    open: (hold) => void insertHold(hold, accounts.encode(hold.heldAmounts), instanceId),
    extend: (extension) => void extendHold(extension, accounts.encode(extension.heldAmounts), extension.attemptId),
    close(record, entries, moves) {
      const alreadyClosed = insertRequest(record) === 0;
      if (alreadyClosed) return;
      const last = entries.length - 1;
      for (let index = 0; index <= last; index++) {
        const entry = entries[index];
        if (entry === undefined) continue;
        deleteHold.run(entry.attemptId);
        insertEntry(entry, index === last ? 1 : 0);
      }
      effects.add(record, entries, moves);
    },
    flush: () => effects.flush(),
    discard() {
      effects.discard();
      accounts.discard();
    },
    committed: () => accounts.committed(),
  };
}

/** Returns a function that binds a record, and after it `further`, and returns how many rows that changed. */
function createBinder<Row, Subject>(
  statement: StatementSync,
  columns: ColumnReaders<Row, Subject>,
): (subject: Subject, ...further: readonly Bound[]) => number {
  const readers = Object.values(columns) as readonly ((subject: Subject) => Bound)[];
  const parameters: Bound[] = readers.map(() => null);
  return (subject, ...further) => {
    for (let index = 0; index < readers.length; index++) {
      const read = readers[index];
      if (read !== undefined) parameters[index] = read(subject);
    }
    for (let index = 0; index < further.length; index++) parameters[readers.length + index] = further[index] ?? null;
    return Number(statement.run(...parameters).changes);
  };
}

/** A row whose values are never used: only its column order reaches the compiled statement. */
function placeholders<Row, Subject>(columns: ColumnReaders<Row, Subject>): Row {
  return Object.fromEntries(columnNames(columns).map((name) => [name, null])) as Row;
}
