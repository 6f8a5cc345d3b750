/**
 * A plain JSON reader that says exactly what is wrong with a body: where it stops being UTF-8 or JSON, or which
 * field it names twice. It reads what the fast path of json-document.ts cannot: refused bodies, and bodies with
 * escapes in field names, because the engine's own `JSON.parse` can give such a name as another one (nodejs/node
 * issue 63785: after `{"mod\\u":1}` was parsed anywhere in the process, `mod\u0065l` is read as `mod\u`), and a
 * caller could use that to show the gateway one model and the provider another.
 * It is linear and recurses once per level; the caller has bounded the depth. Nothing it says quotes the body,
 * except the names of fields on a path.
 */
import { skipString } from "./json-scan.ts";

export interface SyntaxFinding {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (UTF-16 units). */
  readonly column: number;
  /** Without a final full stop. */
  readonly explanation: string;
}

export interface ExactReading {
  readonly value: unknown;
  /** The path of the first field named twice, cut to a bound. */
  readonly duplicate: string | null;
}

/** Byte offset of the first sequence that is not UTF-8; the length if there is none. */
export function findInvalidUtf8(bytes: Buffer): number {
  const text = bytes.toString("utf8");
  let offset = 0;
  let from = 0;
  for (;;) {
    const at = text.indexOf("\ufffd", from);
    if (at < 0) return bytes.length;
    offset += Buffer.byteLength(text.slice(from, at));
    const genuine = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!genuine) return offset;
    offset += 3;
    from = at + 1;
  }
}

/** Reads a JSON text; a `SyntaxFinding` says why it is none. */
export function readExactly(text: string): ExactReading | SyntaxFinding {
  const reader = new Reader(text);
  try {
    const value = reader.document();
    return { value, duplicate: reader.duplicate };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const before = text.slice(0, thrown.at);
    const lineStart = before.lastIndexOf("\n") + 1;
    return {
      line: before.split("\n").length,
      column: before.length - lineStart + 1,
      explanation: thrown.at >= text.length ? "the text ends before the value is complete" : thrown.message,
    };
  }
}

const PATH_CHARS_MAX = 200;
const PLAIN_NAME = /^[A-Za-z_$][\w$-]*$/;

class Failure extends Error {
  override readonly name = "Failure";
  readonly at: number;

  constructor(at: number, explanation: string) {
    super(explanation);
    this.at = at;
  }
}

class Reader {
  duplicate: string | null = null;
  readonly #text: string;
  readonly #path: string[] = [];
  readonly #number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value();
    if (this.#next() !== undefined) throw new Failure(this.#at, "there is something after the end of the value");
    return value;
  }

  /** The next character that is not white space, not yet taken. */
  #next(): string | undefined {
    for (;;) {
      const char = this.#text[this.#at];
      if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") return char;
      this.#at++;
    }
  }

  #value(): unknown {
    const first = this.#next();
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    if (first === '"') return this.#string();
    if (this.#takeWord("null")) return null;
    if (this.#takeWord("true")) return true;
    if (this.#takeWord("false")) return false;
    this.#number.lastIndex = this.#at;
    const number = this.#number.exec(this.#text);
    if (number === null) throw new Failure(this.#at, "a value is expected here");
    this.#at = this.#number.lastIndex;
    return Number(number[0]);
  }

  #takeWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #object(): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    this.#at++;
    if (this.#next() === "}") {
      this.#at++;
      return {};
    }
    for (;;) {
      if (this.#next() !== '"') throw new Failure(this.#at, "a field name in double quotes is expected here");
      const name = this.#string();
      this.#path.push(this.#segment(name));
      if (entries.has(name)) this.duplicate ??= this.#showPath();
      if (this.#next() !== ":") throw new Failure(this.#at, "a colon is expected after the field name");
      this.#at++;
      entries.set(name, this.#value());
      this.#path.pop();
      const after = this.#next();
      if (after !== "}" && after !== ",") throw new Failure(this.#at, "a comma or a closing brace is expected here");
      this.#at++;
      if (after === "}") return Object.fromEntries(entries);
    }
  }

  #array(): unknown[] {
    const elements: unknown[] = [];
    this.#at++;
    if (this.#next() === "]") {
      this.#at++;
      return elements;
    }
    for (;;) {
      this.#path.push(`[${elements.length}]`);
      elements.push(this.#value());
      this.#path.pop();
      const after = this.#next();
      if (after !== "]" && after !== ",") throw new Failure(this.#at, "a comma or a closing bracket is expected here");
      this.#at++;
      if (after === "]") return elements;
    }
  }

  /** A string on its own is safe with `JSON.parse`: only names of fields are looked up in its cache. */
  #string(): string {
    const start = this.#at;
    const end = skipString(this.#text, start);
    try {
      const value = JSON.parse(this.#text.slice(start, end + 1)) as string;
      this.#at = end + 1;
      return value;
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown;
      throw this.#explainString(start, end);
    }
  }

  #explainString(start: number, end: number): Failure {
    for (let index = start + 1; index < end; index++) {
      if (this.#text.charCodeAt(index) < 0x20) {
        return new Failure(index, "a control character in a string must be escaped");
      }
      if (this.#text[index] !== "\\") continue;
      const known = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.#text.slice(index, index + 6));
      if (known === null) return new Failure(index, "this is not an escape sequence that JSON knows");
      index += known[0].length - 1;
    }
    return new Failure(this.#text.length, "the string has no end");
  }

  #segment(name: string): string {
    if (!PLAIN_NAME.test(name)) return `[${JSON.stringify(name)}]`;
    return this.#path.length === 0 ? name : `.${name}`;
  }

  #showPath(): string {
    const path = this.#path.join("");
    return path.length > PATH_CHARS_MAX ? `${path.slice(0, PATH_CHARS_MAX)}…` : path;
  }
}
