/**
 * Reads JSON so that writing it again loses nothing: a number that a double cannot hold keeps its own digits. Tool
 * arguments are the caller's data (ids, amounts); a gateway that rounds them on the way corrupts them.
 */
import type { JsonDocument } from "../kernel/json-document.ts";

interface JsonWithSources {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(source: string): unknown;
}

/** Missing from TypeScript's library: ECMAScript's "JSON.parse source text access", in Node since version 22. */
const json = JSON as unknown as JsonWithSources;

/**
 * Only a number of so many digits, or with an exponent, can be one that a double does not hold. It stands at the beginning
 * or after one of three signs, so that base64 and most other strings are not taken for numbers.
 */
const MAY_LOSE_DIGITS = /(?:^|[:[,])\s*-?(?:[\d.]{16}|[\d.]+[eE])/;

/** Digits that every double keeps. */
const SAFE_DIGITS = 15;

/** Throws `SyntaxError` like `JSON.parse`. A number kept by its digits is an object, meant for `JSON.stringify` only. */
export function parseExactJson(text: string): unknown {
  if (!MAY_LOSE_DIGITS.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, context) => {
    const source = context.source;
    if (typeof value !== "number" || source === undefined || holds(value, source)) return value;
    return json.rawJSON(source);
  });
}

/** The whole of a caller's body as `parseExactJson` reads it. */
export function readExactBody({ bytes, root }: JsonDocument): object {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // What a number is recognised by is ASCII, the same in either encoding.
  return MAY_LOSE_DIGITS.test(buffer.toString("latin1")) ? (parseExactJson(buffer.toString("utf8")) as object) : root;
}

/** A top-level member of a caller's body as `parseExactJson` reads it; `undefined` if it is absent. */
export function readExactMember(document: JsonDocument, name: string): unknown {
  const member = document.members.find((each) => each.name === name);
  if (member === undefined) return undefined;
  const { bytes } = document;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    "utf8",
    member.valueStart,
    member.valueEnd,
  );
  return MAY_LOSE_DIGITS.test(text) ? parseExactJson(text) : document.root[name];
}

function holds(value: number, source: string): boolean {
  if (source === String(value)) return true;
  const digits = source
    .replace(/[eE].*$/, "")
    .replace(/[-.]/g, "")
    .replace(/^0+/, "");
  return Number.isFinite(value) && digits.length <= SAFE_DIGITS && (value !== 0 || digits === "");
}
