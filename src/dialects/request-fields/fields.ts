/** Checked reading of a caller's fields: absent and `null` are the same, anything of the wrong type is refused by name. */
import { invalid } from "./refusals.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** `prefix` is the path of the object, with its final dot, empty at the top. */
export function readText(fields: Fields, name: string, prefix = ""): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw invalid(prefix + name, "a string");
  return value;
}

export function readFlag(fields: Fields, name: string, prefix = ""): boolean | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "boolean") throw invalid(prefix + name, "true or false");
  return value;
}

export function readNumber(fields: Fields, name: string, range?: readonly [min: number, max: number]): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  const [min, max] = range ?? [-Infinity, Infinity];
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw invalid(name, range === undefined ? "a number" : `a number from ${min} to ${max}`);
}

/** A whole number from 1 up. */
export function readPositive(
  fields: Fields,
  name: string,
  max: number = Number.MAX_SAFE_INTEGER,
  prefix = "",
): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1 || value > max) {
    throw invalid(
      prefix + name,
      max === Number.MAX_SAFE_INTEGER ? "a whole number of at least 1" : `a whole number from 1 to ${max}`,
    );
  }
  return value;
}

export function readObject(fields: Fields, name: string, prefix = ""): Fields | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  return requireObject(value, prefix + name);
}

export function requireObject(value: unknown, param: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(param, "an object");
  return value as Fields;
}

export function readArray(fields: Fields, name: string, prefix = ""): readonly unknown[] | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) throw invalid(prefix + name, "an array");
  return value as readonly unknown[];
}
