/** What a failure of PostgreSQL means to the gateway. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { DatabaseError } from "pg";
import { HeadgateError } from "../../kernel/errors.ts";

/**
 * Classes and codes that pass with time: the connection (08), resources (53), shutdown and recovery (57P), a statement
 * that took too long (57014), a lock that others held (55P03, 40001, 40P01), a server that is only a standby (25006).
 */
const PASSING = /^(08|53|57P|57014$|55P03$|40001$|40P01$|25006$)/;
/** Who may enter (28), and whether there is such a database (3D): nothing that time changes. */
const REFUSED = /^(28|3D)/;
/** A value or a constraint: the same row fails again, others do not. */
const ROW_FAULT = /^(22|23)/;

/** Errors of the driver that are no answer of the server: the connection failed, or was waited for in vain. */
function isDriverFailure(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof DatabaseError) && !(error instanceof TypeError);
}

/** The server cannot be asked now, or refuses this user or database. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof HeadgateError) return false;
  if (error instanceof DatabaseError) return PASSING.test(error.code ?? "") || isRefused(error);
  return isDriverFailure(error);
}

/** The server answers, and will not let this user in or has no such database: the configuration is at fault. */
export function isRefused(error: unknown): boolean {
  return error instanceof DatabaseError && REFUSED.test(error.code ?? "");
}

export function isRowFault(error: unknown): boolean {
  return error instanceof DatabaseError && ROW_FAULT.test(error.code ?? "");
}

/** What callers of the store get to see: `storage_unavailable` in place of what passes, everything else as it is. */
export function toStorageError(error: unknown): unknown {
  return isUnavailable(error) ? storageUnavailable(error) : error;
}

export function storageUnavailable(error: unknown): HeadgateError {
  return new HeadgateError(
    "storage_unavailable",
    `The shared database cannot be asked now (${reasonOf(error)}). Try again shortly.`,
    { cause: error, retryAfterMs: 1000 },
  );
}

/** A dial to several addresses fails with an error without a message of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
