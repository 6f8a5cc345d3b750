/**
 * Durations, sizes and decimal numbers as people write them. A plain number is in the unit of the option's name (`…Ms`, `…Bytes`);
 * text carries its unit. No unit has two meanings: `MB` is a million bytes, `MiB` is 1024 × 1024.
 */
const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export const durationPattern: RegExp = /^[0-9]+(\.[0-9]+)? ?(ms|s|m|h)$/;
export const sizePattern: RegExp = /^[0-9]+(\.[0-9]+)? ?(B|kB|MB|GB|KiB|MiB|GiB)$/;

/** Whole milliseconds of `30s`, or `null`. */
export function parseDuration(text: string): number | null {
  return durationPattern.test(text) ? inUnits(text, durationUnits) : null;
}

/** Whole bytes of `10MB`, or `null`. */
export function parseSize(text: string): number | null {
  return sizePattern.test(text) ? inUnits(text, sizeUnits) : null;
}

/** The shortest exact way to write it: 90000 → `90s`. */
export function formatDuration(ms: number): string {
  return shortest(ms, ["h", "m", "s"], durationUnits) ?? (ms === 0 ? "0" : `${ms}ms`);
}

export function formatSize(bytes: number): string {
  return shortest(bytes, ["GiB", "MiB", "KiB", "GB", "MB", "kB"], sizeUnits) ?? (bytes === 0 ? "0" : `${bytes}B`);
}

/** Of zero or more, without the exponent that JavaScript writes below a millionth: `1.5e-7` is `0.00000015`. */
export function formatDecimal(number: number): string {
  const [digits = "", places] = String(number).split("e-");
  return places === undefined ? digits : `0.${"0".repeat(Number(places) - 1)}${digits.replace(".", "")}`;
}

function inUnits(text: string, units: Readonly<Record<string, number>>): number | null {
  const number = parseFloat(text);
  const unit = units[text.replace(/^[0-9.]+ ?/, "")];
  if (unit === undefined) return null;
  const product = number * unit;
  return Number.isSafeInteger(product) ? product : null;
}

function shortest(amount: number, names: readonly string[], units: Readonly<Record<string, number>>): string | null {
  if (amount === 0) return null;
  const name = names.find((candidate) => amount % (units[candidate] ?? 1) === 0);
  return name === undefined ? null : `${amount / (units[name] ?? 1)}${name}`;
}
