/**
 * Reads JSON so that writing it again loses nothing: a number that a double cannot hold keeps its own digits. Tool
 * arguments are the caller's data (ids, amounts); a gateway that rounds them corrupts them.
 */
interface JsonWithSources {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(source: string): unknown;
}

/** Missing from TypeScript's library: ECMAScript's "JSON.parse source text access", in Node since version 22. */
const json = JSON as unknown as JsonWithSources;

/** Only texts with so many digits in a row, or an exponent, can hold a number that a double does not. */
const MAY_LOSE_DIGITS = /[\d.]{16}|\d[eE]/;

/** Throws `SyntaxError` like `JSON.parse`. The value is meant for `JSON.stringify`, not for arithmetic. */
export function parseExactJson(text: string): unknown {
  if (!MAY_LOSE_DIGITS.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, context) => {
    const source = context.source;
    if (typeof value !== "number" || source === undefined || source === String(value)) return value;
    return json.rawJSON(source);
  });
}
