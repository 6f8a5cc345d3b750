/** A date of release: `-2024-07-18`, `-20240718`, `@20240718`. */
const releaseDate = /[-@](?:20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]))(?=$|[-:])/g;

/**
 * Whether two names are the same model's at one provider, as far as spelling tells: with a date of release or without
 * (`gpt-4o-mini-2024-07-18`), with a variant (`:nitro`), with the words in another order
 * (`anthropic/claude-4.5-sonnet` for `anthropic/claude-sonnet-4.5`), or without the vendor's name.
 */
export function isSameModel(one: string, other: string): boolean {
  if (one === other) return true;
  if (one.includes("/") === other.includes("/")) return wordsOf(one) === wordsOf(other);
  return wordsOf(withoutVendor(one)) === wordsOf(withoutVendor(other));
}

function withoutVendor(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function wordsOf(name: string): string {
  const [model = name] = name.toLowerCase().replace(releaseDate, "").split(":", 1);
  return model
    .split(/[^a-z0-9]+/)
    .toSorted()
    .join(" ");
}
