/** Whether an answer that was made anew from what was understood of another still says all that the other said. */

/** What tells how an answer was made and what it cost, not what it says; usage is compared by its sums. */
const ofTheMaking: ReadonlySet<string> = new Set([
  "usage",
  "created",
  "system_fingerprint",
  "service_tier",
  "provider",
  "native_finish_reason",
  "x_groq",
  "obfuscation",
]);

/**
 * Compares the places at which something is said, and of what has types the types: texts themselves go through codecs
 * unchanged, and a stream cuts them at will. What is empty, `null`, 0 or `false` says nothing.
 */
export function saysAll(again: readonly unknown[], original: readonly unknown[]): boolean {
  const said = new Set<string>();
  for (const json of again) for (const place of placesIn(json, "")) said.add(place);
  for (const json of original) for (const place of placesIn(json, "")) if (!said.has(place)) return false;
  return hasSameSums(again, original);
}

function* placesIn(value: unknown, place: string): Generator<string> {
  if (Array.isArray(value)) {
    for (const member of value as readonly unknown[]) yield* placesIn(member, `${place}[]`);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (ofTheMaking.has(name)) continue;
      const isKind = name === "type" && typeof member === "string";
      yield* placesIn(member, isKind ? `${place}.type=${member}` : `${place}.${name}`);
    }
  } else if (value !== null && value !== undefined && value !== "" && value !== 0 && value !== false) {
    yield place;
  }
}

/** Whether the last usage of both agrees in every number that both have: conventions of providers differ. */
function hasSameSums(again: readonly unknown[], original: readonly unknown[]): boolean {
  const before = lastUsage(original);
  const now = lastUsage(again);
  return Object.entries(before).every(([name, sum]) => {
    const same = now[name];
    return typeof sum !== "number" || typeof same !== "number" || same === sum;
  });
}

function lastUsage(chunks: readonly unknown[]): Readonly<Record<string, unknown>> {
  let last: Readonly<Record<string, unknown>> = {};
  for (const chunk of chunks) {
    const usage = (chunk as { readonly usage?: unknown } | null)?.usage;
    if (typeof usage === "object" && usage !== null) last = usage as Readonly<Record<string, unknown>>;
  }
  return last;
}
