/**
 * Brings the file to this program's schema, forward only. The number of migrations applied is the file's
 * `user_version`, so an up-to-date file costs one pragma. Each migration commits together with its number;
 * two processes starting at once take turns on the write lock.
 */
import type { DatabaseSync } from "node:sqlite";
import { HeadgateError } from "../../kernel/errors.ts";
import { foundation } from "./migrations/0001-foundation.ts";
import { heldAmounts } from "./migrations/0002-held-amounts.ts";
import { reuseHours } from "./migrations/0003-reuse-hours.ts";

/** In order; the position is the version. Never edited or reordered after a release: append. */
const migrations: readonly string[] = [foundation, heldAmounts, reuseHours];

/** Of this program. A file with a higher one was written by a newer program. */
export const schemaVersion: number = migrations.length;

/** Throws `storage_unusable` for a file written by a newer program. */
export function migrate(connection: DatabaseSync, file: string, steps: readonly string[] = migrations): void {
  if (appliedCount(connection, file, steps) === steps.length) return;
  connection.exec("BEGIN IMMEDIATE");
  try {
    for (let next = appliedCount(connection, file, steps); next < steps.length; next++) {
      connection.exec(steps[next] ?? "");
    }
    connection.exec(`PRAGMA user_version = ${steps.length}`);
    connection.exec("COMMIT");
  } catch (error) {
    if (connection.isTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

function appliedCount(connection: DatabaseSync, file: string, steps: readonly string[]): number {
  const applied = Number(connection.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (applied > steps.length) {
    throw new HeadgateError(
      "storage_unusable",
      `${file} has schema version ${applied}, this program knows versions up to ${steps.length}. ` +
        "Run the newer program, or restore a backup made before the upgrade.",
    );
  }
  return applied;
}
