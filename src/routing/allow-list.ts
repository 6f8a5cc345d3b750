import { matchesWildcard } from "../kernel/wildcard.ts";

/**
 * Whether a key's allow-list admits a request: a pattern fits the name the caller asked for, or each of the targets
 * that could serve it is covered by some pattern (so that `openai/*` admits an alias only if all it leads to is at
 * openai). In a pattern `*` stands for any run of characters, `/` included; everything else stands for itself.
 * `null` admits everything, an empty list nothing.
 */
export function isModelAllowed(
  patterns: readonly string[] | null,
  asked: string,
  targetNames: readonly string[],
): boolean {
  if (patterns === null || matchesAny(patterns, asked)) return true;
  return targetNames.length > 0 && targetNames.every((name) => matchesAny(patterns, name));
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  for (const pattern of patterns) if (matchesWildcard(pattern, name)) return true;
  return false;
}
