/**
 * One pass over the structure of a JSON text read as Latin-1 (index = byte offset): the depth, how many object
 * members it names, and the spans of the top-level members. It checks no grammar: on text that is not JSON its
 * result has no meaning, and the caller finds that out by parsing. It neither recurses nor reads inside strings.
 */
import type { JsonMember } from "./json-document.ts";

export interface JsonScan {
  readonly members: readonly JsonMember[];
  /** Names of object members at all levels. */
  readonly names: number;
  /** Whether any of them is written with an escape. */
  readonly escapedNames: boolean;
  /** Byte offset of the first bracket beyond the depth limit, -1 if there is none. */
  readonly tooDeepAt: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** Strings shorter than this are skipped character by character: the call into the engine costs more. */
const SHORT_STRING = 24;

export function scanJson(latin1: string, depthMax: number): JsonScan {
  const members: JsonMember[] = [];
  let names = 0;
  let escapedNames = false;
  let stringStart = -1;
  let stringEnd = -1;
  let depth = 0;
  let keyStart = -1;
  let keyEnd = -1;
  let colonAt = -1;
  for (let index = 0; index < latin1.length; index++) {
    switch (latin1.charCodeAt(index)) {
      case QUOTE: {
        const end = skipString(latin1, index);
        stringStart = index;
        stringEnd = end;
        index = end;
        break;
      }
      case COLON:
        names++;
        escapedNames ||= hasEscape(latin1, stringStart, stringEnd);
        if (depth === 1) {
          keyStart = stringStart;
          keyEnd = stringEnd;
          colonAt = index;
        }
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > depthMax) return { members, names, escapedNames, tooDeepAt: index };
        break;
      case COMMA:
        if (depth === 1 && colonAt >= 0) {
          members.push(readMember(latin1, keyStart, keyEnd, colonAt, index));
          colonAt = -1;
        }
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (--depth === 0 && colonAt >= 0) {
          members.push(readMember(latin1, keyStart, keyEnd, colonAt, index));
          colonAt = -1;
        }
        break;
      default:
    }
  }
  return { members, names, escapedNames, tooDeepAt: -1 };
}

/** Index of the quote that closes the string opened at `open`; the end of the text if there is none. */
export function skipString(text: string, open: number): number {
  const shortEnd = Math.min(text.length, open + SHORT_STRING);
  let index = open + 1;
  for (; index < shortEnd; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return index;
    if (code === BACKSLASH) index++;
  }
  for (;;) {
    const quote = text.indexOf('"', index);
    if (quote < 0) return text.length;
    if (!isEscaped(text, quote, index)) return quote;
    index = quote + 1;
  }
}

function hasEscape(text: string, start: number, end: number): boolean {
  for (let index = start + 1; index < end; index++) {
    if (text.charCodeAt(index) === BACKSLASH) return true;
  }
  return false;
}

/** Whether an odd run of backslashes stands before `quote`; nothing before `from` belongs to the run. */
function isEscaped(text: string, quote: number, from: number): boolean {
  let first = quote;
  while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
}

function readMember(text: string, keyStart: number, keyEnd: number, colonAt: number, stop: number): JsonMember {
  let valueStart = colonAt + 1;
  while (valueStart < stop && text.charCodeAt(valueStart) <= SPACE) valueStart++;
  let valueEnd = stop;
  while (valueEnd > valueStart && text.charCodeAt(valueEnd - 1) <= SPACE) valueEnd--;
  return { name: decodeName(text.slice(keyStart + 1, keyEnd)), keyStart, valueStart, valueEnd };
}

function decodeName(latin1: string): string {
  for (let index = 0; index < latin1.length; index++) {
    const code = latin1.charCodeAt(index);
    if (code === BACKSLASH || code > 0x7f) return decodeUnusualName(latin1);
  }
  return latin1;
}

/** A name with escapes or beyond ASCII. What is not a JSON string stays as it is: parsing will refuse the body. */
function decodeUnusualName(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString("utf8");
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return text;
    throw thrown;
  }
}
