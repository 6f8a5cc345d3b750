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
  for (const pattern of patterns) if (matchesPattern(pattern, name)) return true;
  return false;
}

/** Without regular expressions: nothing to compile or cache, and time at most the product of the lengths. */
function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let index = 0; index < name.length;) {
    if (pattern[at] === "*") {
      star = at++;
      resumeAt = index;
    } else if (pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
