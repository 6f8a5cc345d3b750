/** The bytes of an answer that is read as a whole: a complete one, a refusal, or what it is too early to tell. */
import type { AnswerMemory } from "../../streaming/answer-memory.ts";

export class CollectedBody {
  readonly #memory: AnswerMemory;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(memory: AnswerMemory) {
    this.#memory = memory;
  }

  get size(): number {
    return this.#size;
  }

  /** False: there is no memory for it, and it was not added. */
  add(chunk: Uint8Array): boolean {
    if (!this.#memory.grow(this.#size, chunk.byteLength)) return false;
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    return true;
  }

  /** Nothing of it is needed any more. */
  clear(): void {
    this.#memory.giveBack(this.#size, this.#size);
    this.#chunks = [];
    this.#size = 0;
  }

  bytes(): Uint8Array {
    const [only] = this.#chunks;
    if (this.#chunks.length !== 1 || only === undefined) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? EMPTY;
  }

  /** Whether it begins like JSON, so that what there is of it was generated for the caller. */
  looksLikeJson(): boolean {
    return /^\s*\{/.test(Buffer.from(this.bytes().subarray(0, START_BYTES)).toString("latin1"));
  }

  /** Whether it is an object of JSON from beginning to end, to which nothing could be added. */
  isWholeObject(): boolean {
    if (!this.looksLikeJson()) return false;
    try {
      const { buffer, byteOffset, byteLength } = this.bytes();
      JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString("utf8"));
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Whether it begins like an event stream, which is one even without the right content type. `null`: too little has
   * come to tell.
   */
  looksLikeEventStream(): boolean | null {
    const start = Buffer.from(this.bytes().subarray(0, START_BYTES)).toString("latin1");
    const text = start.replace(BYTE_ORDER_MARK, "").trimStart();
    if (fields.some((field) => text.startsWith(field))) return true;
    return fields.some((field) => field.startsWith(text)) ? null : false;
  }
}

const EMPTY = new Uint8Array(0);
const START_BYTES = 64;
/** A UTF-8 byte order mark, read as Latin-1. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;
/** What a line of an event stream can begin with; a comment begins with the colon. */
const fields = ["data:", "event:", "id:", "retry:", ":"];
