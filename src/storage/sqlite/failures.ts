/** What a thrown SQLite error means to the gateway. Result codes: https://www.sqlite.org/rescode.html */
import { HeadgateError } from "../../kernel/errors.ts";

const PRIMARY_CODE_MASK = 0xff;
const SQLITE_BUSY = 5;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

/** The row is at fault, not the store: the same row fails again, others do not. Errors thrown before SQLite saw the row count too. */
export function isRowFault(error: unknown): boolean {
  const code = primaryCode(error);
  return code === null || code === SQLITE_CONSTRAINT || code === SQLITE_MISMATCH;
}

export function storageUnavailable(error: unknown): HeadgateError {
  const reason = error instanceof Error ? error.message : String(error);
  return new HeadgateError(
    "storage_unavailable",
    `The gateway cannot write its records now (${reason}). Try again shortly.`,
    {
      cause: error,
      retryAfterMs: 1000,
    },
  );
}

/** Throws `storage_unavailable` for whatever `read` throws. */
export function reading<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw storageUnavailable(error);
  }
}

function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return null;
  return error.errcode & PRIMARY_CODE_MASK;
}
