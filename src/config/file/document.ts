/**
 * Reads the text of the file into plain values and remembers where each stands, so that every later complaint can
 * name line and column. Complains itself about syntax, keys written twice and keys that cannot be held.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { type ConfigProblem, formatPath } from "./problem.ts";
import { describeSyntaxError } from "./syntax.ts";

export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface ConfigDocument {
  /** The file as it is shown to people. */
  readonly source: string;
  /** Objects, arrays, texts, numbers, booleans and `null`; `undefined` when the text is not YAML. */
  readonly value: unknown;
  /** Where each value stands, by its path as `formatPath` writes it. */
  readonly values: ReadonlyMap<string, Position>;
  /** Where each key stands. */
  readonly keys: ReadonlyMap<string, Position>;
  readonly problems: readonly ConfigProblem[];
}

const FILE_CHARS_MAX = 4 * 1024 * 1024;
const SYNTAX_PROBLEMS_MAX = 10;
/** A decimal of so many digits is another number than each of its neighbours. */
const NUMBER_DIGITS_MAX = 15;

export function readDocument(text: string, source: string): ConfigDocument {
  const reader = new DocumentReader(source);
  if (text.length > FILE_CHARS_MAX) {
    reader.complain([], { line: 1, column: 1 }, "the file is larger than 4 MiB", "Is it the right file?");
    return reader.finish(undefined);
  }
  return reader.finish(reader.parse(text));
}

/** A document without content, for a gateway without a file. */
export function emptyDocument(): ConfigDocument {
  return new DocumentReader("").finish(null);
}

class DocumentReader {
  readonly #source: string;
  readonly #lines = new LineCounter();
  readonly #values = new Map<string, Position>();
  readonly #keys = new Map<string, Position>();
  readonly #problems: ConfigProblem[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  parse(text: string): unknown {
    const document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: false, prettyErrors: false });
    const complainedLines = new Set<number>();
    for (const error of [...document.errors, ...document.warnings]) {
      const at = this.#at(error.pos[0]);
      // One mistake makes the parser stumble more than once.
      if (complainedLines.has(at.line) || complainedLines.size === SYNTAX_PROBLEMS_MAX) continue;
      complainedLines.add(at.line);
      this.complain([], at, describeSyntaxError(error.code), null);
    }
    return this.#problems.length > 0 ? undefined : this.#read(document.contents, []);
  }

  complain(steps: readonly PropertyKey[], at: Position, message: string, suggestion: string | null): void {
    this.#problems.push({ source: this.#source, path: formatPath(steps), ...at, message, suggestion });
  }

  finish(value: unknown): ConfigDocument {
    return { source: this.#source, value, values: this.#values, keys: this.#keys, problems: this.#problems };
  }

  #read(node: Node | null, steps: readonly PropertyKey[]): unknown {
    if (node === null) return null;
    this.#values.set(formatPath(steps), this.#position(node));
    if (isMap(node)) return this.#readMap(node, steps);
    if (isSeq(node)) return node.items.map((item, index) => this.#read(item as Node | null, [...steps, index]));
    if (isScalar(node)) return this.#readScalar(node, steps);
    this.complain(steps, this.#position(node), "is an alias (`*name`), which is not supported", "Write the value out.");
    return null;
  }

  #readScalar(node: Scalar, steps: readonly PropertyKey[]): unknown {
    if (typeof node.value === "number" && significantDigits(node.source ?? "") > NUMBER_DIGITS_MAX) {
      const at = this.#position(node);
      this.complain(steps, at, "has more digits than a number can hold, and would be rounded", "Write fewer digits.");
    }
    return node.value;
  }

  #readMap(map: YAMLMap, steps: readonly PropertyKey[]): unknown {
    const seen = new Map<string, Position>();
    const entries = map.items.flatMap((pair) => {
      const at = this.#position(pair.key as Node);
      if (!isScalar(pair.key) || pair.key.value === "__proto__") {
        this.complain(steps, at, "has a key that cannot be used", "Write plain text as the key.");
        return [];
      }
      const key = String(pair.key.value);
      const path = [...steps, key];
      const first = seen.get(key);
      if (first !== undefined)
        this.complain(path, at, `is written twice, first on line ${first.line}`, "Keep one of them.");
      seen.set(key, at);
      this.#keys.set(formatPath(path), at);
      return [[key, this.#read(pair.value as Node | null, path)]];
    });
    return Object.fromEntries(entries) as unknown;
  }

  #position(node: Node): Position {
    return this.#at(node.range?.[0] ?? 0);
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** Of a decimal number as it is written; zeros at its ends are none. */
function significantDigits(source: string): number {
  if (!/^[-+]?[0-9]*\.?[0-9]*$/.test(source)) return 0;
  const trimmed = source.includes(".") ? source.replace(/0+$/, "") : source;
  return trimmed.replace(/[-+.]/g, "").replace(/^0+/, "").replace(/0+$/, "").length;
}
