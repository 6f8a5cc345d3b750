import { isAmountColumn } from "../schema.ts";

/** Told of a count that a number cannot hold exactly. */
export type OutOfRange = (column: string, value: bigint) => void;

/**
 * Takes a row read with `readBigInts` and narrows, in place, what is not an amount. One count beyond a number's exact range
 * must not make every report that meets it unreadable: it becomes the nearest number within, and is told.
 */
export function narrowIntegers(row: Record<string, unknown>, outOfRange: OutOfRange): Record<string, unknown> {
  for (const column in row) {
    const value = row[column];
    if (typeof value !== "bigint" || isAmountColumn(column)) continue;
    row[column] = narrow(column, value, outOfRange);
  }
  return row;
}

function narrow(column: string, value: bigint, outOfRange: OutOfRange): number {
  const narrowed = Number(value);
  if (Number.isSafeInteger(narrowed)) return narrowed;
  outOfRange(column, value);
  return value < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
}
