/** Columns of money keep the full 64 bits; every other integer is a number. The rule is the same on every engine. */
const BIGINT_SUFFIX = "_nano_usd";

/** Told of a count that a number cannot hold exactly. */
export type OutOfRange = (column: string, value: bigint) => void;

/**
 * Takes a row read with `readBigInts` and narrows, in place, what is not money. One count beyond a number's exact range
 * must not make every report that meets it unreadable: it becomes the nearest number within, and is told.
 */
export function narrowIntegers(row: Record<string, unknown>, outOfRange: OutOfRange): Record<string, unknown> {
  for (const column in row) {
    const value = row[column];
    if (typeof value !== "bigint" || column.endsWith(BIGINT_SUFFIX)) continue;
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
