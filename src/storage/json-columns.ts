/** Lists and maps in text columns. What stands there was written by these functions' counterparts, so its type is known. */
import type { TrailStep } from "./records.ts";

/** An empty list allows nothing, so only `null` becomes `null`. */
export function encodeModelAllowList(patterns: readonly string[] | null): string | null {
  return patterns === null ? null : JSON.stringify(patterns);
}

export function parseModelAllowList(text: string | null): readonly string[] | null {
  return text === null ? null : (JSON.parse(text) as readonly string[]);
}

export function encodeMetadata(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

export function parseMetadata(text: string | null): Readonly<Record<string, string>> {
  return text === null ? {} : (JSON.parse(text) as Readonly<Record<string, string>>);
}

export function parseLosses(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as readonly string[]);
}

export function parseTrail(text: string | null): readonly TrailStep[] {
  return text === null ? [] : (JSON.parse(text) as readonly TrailStep[]);
}
