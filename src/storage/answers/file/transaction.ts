/**
 * Commits several writings as one transaction. Only when one of them is at fault is the transaction rolled back and
 * repeated with a savepoint around each, so that the faulty ones fail alone and the others are committed. When the file is
 * at fault (disk full, I/O error), all fail and none is committed.
 */
import type { DatabaseSync } from "node:sqlite";
import type { HeadgateError } from "../../../kernel/errors.ts";
import { isBusy, isRowFault, storageUnavailable } from "../../sqlite/failures.ts";

export interface Writing {
  /** Runs in the transaction, perhaps more than once; throws what SQLite throws. */
  readonly act: () => unknown;
  readonly bytes: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: HeadgateError) => void;
  /** What `act` returned. */
  result: unknown;
  /** Set when it was not committed. */
  failure: HeadgateError | null;
}

export interface Transaction {
  /** `committed`: each writing has its result or its failure. `busy`: another process is writing, nothing was done. */
  commit(batch: readonly Writing[]): "committed" | "failed" | "busy";
}

export function createTransaction(connection: DatabaseSync): Transaction {
  const begin = connection.prepare("BEGIN IMMEDIATE");
  const end = connection.prepare("COMMIT");

  function commit(batch: readonly Writing[]): "committed" | "failed" | "busy" {
    try {
      begin.run();
      for (const writing of batch) writing.result = writing.act();
      end.run();
      return "committed";
    } catch (error) {
      const rolledBack = rollBack();
      if (isBusy(error)) return "busy";
      return rolledBack && isRowFault(error) ? commitSeparately(batch) : failAll(batch, error);
    }
  }

  function commitSeparately(batch: readonly Writing[]): "committed" | "failed" | "busy" {
    try {
      begin.run();
      for (const writing of batch) actAlone(writing);
      end.run();
      return "committed";
    } catch (error) {
      rollBack();
      for (const writing of batch) writing.failure = null;
      return isBusy(error) ? "busy" : failAll(batch, error);
    }
  }

  function actAlone(writing: Writing): void {
    connection.exec("SAVEPOINT writing");
    try {
      writing.result = writing.act();
      connection.exec("RELEASE writing");
    } catch (error) {
      if (!isRowFault(error)) throw error;
      connection.exec("ROLLBACK TO writing; RELEASE writing");
      writing.failure = storageUnavailable(error);
    }
  }

  /** False when the connection cannot even do that; the next `commit` tries again. */
  function rollBack(): boolean {
    try {
      if (connection.isTransaction) connection.exec("ROLLBACK");
      return true;
    } catch {
      // The caller reports the failure that led here; this one only repeats it.
      return false;
    }
  }

  return { commit };
}

function failAll(batch: readonly Writing[], error: unknown): "failed" {
  const failure = storageUnavailable(error);
  for (const writing of batch) writing.failure = failure;
  return "failed";
}
