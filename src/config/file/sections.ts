import type { OptionNode } from "../options/option.ts";

/**
 * What the person meant, spelled out for the schema: a section with nothing under it (`providers:`) is an empty
 * section, and plain text in place of a section with a shorthand is that one field.
 */
export function spellOut(option: OptionNode, value: unknown): unknown {
  switch (option.node) {
    case "scalar":
      return value;
    case "list":
      if (value === null) return [];
      return Array.isArray(value) ? value.map((item) => spellOut(option.item, item)) : value;
    case "dictionary":
      return mapSection(value, () => option.value);
    case "group":
      if (option.shorthand !== null && typeof value === "string") return { [option.shorthand]: value };
      return mapSection(value, (key) => (Object.hasOwn(option.fields, key) ? option.fields[key] : undefined));
  }
}

function mapSection(value: unknown, optionOf: (key: string) => OptionNode | undefined): unknown {
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value as Readonly<Record<string, unknown>>).map(([key, item]) => {
    const option = optionOf(key);
    return [key, option === undefined ? item : spellOut(option, item)] as const;
  });
  return Object.fromEntries(entries) as unknown;
}

/** Paths of the keys that the operator chose against the declared pattern. */
export function misnamed(
  option: OptionNode,
  value: unknown,
  steps: readonly PropertyKey[] = [],
): (readonly PropertyKey[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([key, item]) => {
    const path = [...steps, key];
    if (option.node === "dictionary") {
      return [...(option.keyPattern.test(key) ? [] : [path]), ...misnamed(option.value, item, path)];
    }
    const field = option.node === "group" && Object.hasOwn(option.fields, key) ? option.fields[key] : undefined;
    return field === undefined ? [] : misnamed(field, item, path);
  });
}
