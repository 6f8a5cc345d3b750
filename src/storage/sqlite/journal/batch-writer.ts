/**
 * Commits a batch of journal operations as one transaction.
 *
 * The common case runs the operations bare. Only when a row of the batch is at fault is the transaction rolled back
 * and repeated with a savepoint around each operation, so that the faulty ones fail alone and the others commit; what
 * closings sum up is then written by each of them.
 * When the store is at fault (disk full, I/O error), every operation of the batch fails and none is committed.
 */
import type { DatabaseSync } from "node:sqlite";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Move } from "../../escrow/bank.ts";
import type { Hold, HoldExtension, LedgerEntry, RequestRecord } from "../../records.ts";
import { isBusy, isRowFault, storageUnavailable } from "../failures.ts";
import type { JournalStatements } from "./statements.ts";

/** An `open` (with a hold), an `extend` (with an extension) or a `close` (with a record). */
export interface JournalOperation {
  readonly hold: Hold | null;
  readonly extension: HoldExtension | null;
  readonly record: RequestRecord | null;
  readonly entries: readonly LedgerEntry[];
  readonly moves: readonly Move[];
  readonly resolve: () => void;
  readonly reject: (error: HeadgateError) => void;
  /** A `close` that was refused before and is kept elsewhere. */
  readonly late: boolean;
  /** Set by the writer when the operation was not committed. */
  failure: HeadgateError | null;
}

export interface BatchWriter {
  /** `committed`: each operation is durable or has its `failure`. `busy`: another process is writing, nothing was done. */
  write(batch: readonly JournalOperation[]): "committed" | "failed" | "busy";
}

export function createBatchWriter(connection: DatabaseSync, statements: JournalStatements): BatchWriter {
  const begin = connection.prepare("BEGIN IMMEDIATE");
  const commit = connection.prepare("COMMIT");

  function write(batch: readonly JournalOperation[]): "committed" | "failed" | "busy" {
    try {
      begin.run();
      for (const operation of batch) apply(statements, operation);
      statements.flush();
      commit.run();
      statements.committed();
      return "committed";
    } catch (error) {
      const rolledBack = rollBack();
      if (isBusy(error)) return "busy";
      if (rolledBack && isRowFault(error)) return writeSeparately(batch);
      return failAll(batch, error);
    }
  }

  function writeSeparately(batch: readonly JournalOperation[]): "committed" | "failed" | "busy" {
    try {
      begin.run();
      for (const operation of batch) operation.failure = applyAlone(operation);
      commit.run();
      statements.committed();
      return "committed";
    } catch (error) {
      rollBack();
      return isBusy(error) ? "busy" : failAll(batch, error);
    }
  }

  function applyAlone(operation: JournalOperation): HeadgateError | null {
    connection.exec("SAVEPOINT operation");
    try {
      apply(statements, operation);
      statements.flush();
      connection.exec("RELEASE operation");
      return null;
    } catch (error) {
      if (!isRowFault(error)) throw error;
      statements.discard();
      connection.exec("ROLLBACK TO operation; RELEASE operation");
      return new HeadgateError(
        "internal",
        "The gateway made a record that its own store refuses. The log has the cause under the request id.",
        {
          cause: error,
        },
      );
    }
  }

  /** False when the connection cannot even do that; the next `write` tries again. */
  function rollBack(): boolean {
    statements.discard();
    try {
      if (connection.isTransaction) connection.exec("ROLLBACK");
      return true;
    } catch {
      // The caller reports the failure that led here; this one only repeats it.
      return false;
    }
  }

  return { write };
}

function apply(statements: JournalStatements, operation: JournalOperation): void {
  if (operation.hold !== null) statements.open(operation.hold);
  if (operation.extension !== null) statements.extend(operation.extension);
  if (operation.record !== null) statements.close(operation.record, operation.entries, operation.moves);
}

function failAll(batch: readonly JournalOperation[], error: unknown): "failed" {
  const failure = storageUnavailable(error);
  for (const operation of batch) operation.failure = failure;
  return "failed";
}
