/** What is true of a provider or a target by policy, e.g. `eu`, `no-retention`. */
export const tagPattern: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const tagNotation = "lower-case letters, digits, `.`, `_` and `-`, at most 63";

/** `eu, no-retention`: each tag once; `null` for a text that is no list of tags. */
export function parseTags(text: string): readonly string[] | null {
  const tags = text.split(",").map((tag) => tag.trim());
  return tags.every((tag) => tagPattern.test(tag)) ? [...new Set(tags)] : null;
}
