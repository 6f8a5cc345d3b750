import { assert } from "../../kernel/assert.ts";

/** Columns of money keep the full 64 bits; every other integer is a number. The rule is the same on every engine. */
const BIGINT_SUFFIX = "_nano_usd";

/** Takes a row read with `readBigInts` and narrows, in place, what is not money. */
export function narrowIntegers(row: Record<string, unknown>): Record<string, unknown> {
  for (const column in row) {
    const value = row[column];
    if (typeof value !== "bigint" || column.endsWith(BIGINT_SUFFIX)) continue;
    const narrowed = Number(value);
    assert(Number.isSafeInteger(narrowed), `column ${column} holds ${value}, which is beyond a number's exact range`);
    row[column] = narrowed;
  }
  return row;
}
