/** Narrow readers of a provider's parsed JSON: a value of the wrong type is absent, never an exception. */
export type WireObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): WireObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as WireObject) : null;
}

export function asArray(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

export function asText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Something is said where a count should be, and it is none. */
export function isNoCount(value: unknown): boolean {
  return value !== undefined && value !== null && asCount(value) === null;
}

/** A count: zero is one, anything but a non-negative safe integer is none. */
export function asCount(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
