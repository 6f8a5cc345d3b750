/**
 * A caller's JSON body, checked once and kept as bytes. `parseJsonDocument` refuses what providers might read
 * differently from us (invalid UTF-8, a byte order mark, a field named twice) and what could exhaust the stack;
 * `spliceMembers` changes top-level members and leaves every other byte as the caller sent it.
 *
 * Speed comes from reading the bytes as Latin-1, where a character's index is its byte offset: strings are skipped
 * by the engine's own `indexOf`, and a body of plain ASCII is parsed from that same text. Duplicates are found by
 * counting: an object that names a field twice has fewer members after parsing than its text has names.
 * Bodies that are refused, or that write names with escapes, are left to the slow exact reader of json-exact.ts.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { HeadgateError } from "./errors.ts";
import { findInvalidUtf8, readExactly } from "./json-exact.ts";
import { scanJson } from "./json-scan.ts";

/** A parsed JSON object together with its bytes and where each top-level member stands in them. */
export interface JsonDocument {
  readonly bytes: Uint8Array;
  readonly root: Readonly<Record<string, unknown>>;
  /** Byte spans of the top-level members, in order. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly name: string;
  /** Offset of the opening quote of the name. */
  readonly keyStart: number;
  /** Span of the value, without surrounding white space. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * Throws `invalid_encoding` (not UTF-8, or a byte order mark, which RFC 8259 forbids a sender), `nesting_too_deep`
 * (the object itself is level 1), `invalid_json`, `invalid_value` (not an object) or `duplicate_field` (at any level;
 * `"mod\u0065l"` and `"model"` are the same name). Messages never quote the body.
 *
 * Accepted: escaped lone surrogates such as `"\ud800"`, because they are valid JSON and are passed on as they stand;
 * numbers beyond a double's range or precision, which only matter to whoever reads them.
 */
export function parseJsonDocument(bytes: Uint8Array, limits: { readonly depth: number }): JsonDocument {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  refuseByteOrderMark(buffer);
  const ascii = isAscii(buffer);
  if (!ascii && !isUtf8(buffer)) {
    throw new HeadgateError(
      "invalid_encoding",
      `The body is not valid UTF-8 at byte ${findInvalidUtf8(buffer)}. Send JSON encoded as UTF-8.`,
    );
  }
  const latin1 = buffer.toString("latin1");
  const scan = scanJson(latin1, limits.depth);
  if (scan.tooDeepAt >= 0) {
    throw new HeadgateError(
      "nesting_too_deep",
      `The body nests arrays and objects deeper than ${limits.depth} levels at byte ${scan.tooDeepAt}. Flatten it, or ask the operator to raise limits.jsonDepth.`,
    );
  }
  const text = ascii ? latin1 : buffer.toString("utf8");
  return {
    bytes: buffer,
    root: scan.escapedNames ? parseExactly(text) : parseFast(text, scan.names),
    members: scan.members,
  };
}

function refuseByteOrderMark(buffer: Buffer): void {
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) {
    throw new HeadgateError(
      "invalid_encoding",
      "The body begins with a byte order mark at byte 0. Send JSON as UTF-8 without one.",
    );
  }
}

/** Only for a text without escapes in its names; `names` is how many it has. */
function parseFast(text: string, names: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    // The engine's own message quotes the body, so it is neither shown nor kept as a cause.
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return parseExactly(text);
  }
  const root = requireObject(value);
  return countNames(root) === names ? root : parseExactly(text);
}

function parseExactly(text: string): Record<string, unknown> {
  const reading = readExactly(text);
  if ("explanation" in reading) {
    throw new HeadgateError(
      "invalid_json",
      `The body is not valid JSON: line ${reading.line}, column ${reading.column}: ${reading.explanation}.`,
    );
  }
  const { duplicate } = reading;
  if (duplicate !== null) {
    throw new HeadgateError("duplicate_field", `The body names the field ${duplicate} twice. Send it once.`, {
      param: duplicate,
    });
  }
  return requireObject(reading.value);
}

function requireObject(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const actual = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  throw new HeadgateError("invalid_value", `The body must be a JSON object, not ${actual}.`);
}

/** Object members in the whole tree. Recursion is safe: the depth was checked before. */
function countNames(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const element: unknown = value[index];
      if (typeof element === "object" && element !== null) count += countNames(element);
    }
    return count;
  }
  for (const name in value) {
    count++;
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === "object" && member !== null) count += countNames(member);
  }
  return count;
}
