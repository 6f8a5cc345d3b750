/**
 * Money is an integer count of nano-dollars (1e-9 USD). It is a `bigint` so that no float ever holds it and
 * no sum overflows. Rates are nano-dollars per one million units, so that every published price is an integer.
 */
declare const nanoUsd: unique symbol;
export type NanoUsd = bigint & { readonly [nanoUsd]: true };

/** Nano-dollars per 1,000,000 units of a usage bucket: $2.50 per million tokens is 2_500_000_000n. */
declare const nanoUsdPerMillion: unique symbol;
export type NanoUsdPerMillion = bigint & { readonly [nanoUsdPerMillion]: true };

export const zeroUsd: NanoUsd = 0n as NanoUsd;

const NANO_PER_USD = 1_000_000_000n;
const UNITS_PER_RATE = 1_000_000n;

export function toNanoUsd(value: bigint): NanoUsd {
  return value as NanoUsd;
}

export function addUsd(a: NanoUsd, b: NanoUsd): NanoUsd {
  return (a + b) as NanoUsd;
}

/** `units × rate` in millionths of a nano-dollar: sums of these are exact, `settleRounding` rounds once at the end. */
export function priceUnits(units: number, rate: NanoUsdPerMillion): bigint {
  return BigInt(units) * rate;
}

/** Rounds a sum of `priceUnits` products up to whole nano-dollars: an entry is never undercharged by rounding. */
export function settleRounding(products: bigint): NanoUsd {
  return ((products + UNITS_PER_RATE - 1n) / UNITS_PER_RATE) as NanoUsd;
}

/** Reads a decimal dollar amount such as `"2.5"` exactly; more than nine decimals or other characters are `null`. */
export function parseUsd(text: string): NanoUsd | null {
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) return null;
  const whole = BigInt(match[1] ?? "0") * NANO_PER_USD;
  return (whole + BigInt((match[2] ?? "").padEnd(9, "0"))) as NanoUsd;
}

/** `$12.345678901` with trailing zeros cut to at least two decimals. */
export function formatUsd(amount: NanoUsd): string {
  const sign = amount < 0n ? "-" : "";
  const absolute = amount < 0n ? -amount : amount;
  const fraction = (absolute % NANO_PER_USD).toString().padStart(9, "0");
  const shown = fraction.replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${absolute / NANO_PER_USD}.${shown}`;
}
