/**
 * What a shared answer has said so far, and who reads it: the caller of the exchange that leads it and those who joined.
 * Each reads at its own pace; the answer goes on at the pace of the fastest.
 *
 * Invariants: while the log is whole (no more than `keepBytes`), whoever joins reads from the beginning. A longer one
 * takes nobody more and forgets what everybody has read; who is then more than `keepBytes` behind is cut off, unless nobody
 * is further, so that no more than that is in memory for anybody's sake. Where all answers together have no more memory it goes on as one that
 * is too long, and only the fastest reader is waited for.
 */
import type { AnswerMemory } from "../../../streaming/answer-memory.ts";
import type { Responder } from "../../responder.ts";

/** Of a stream: what goes to the caller in front of it is up to `begin`. */
export interface LogReaderOptions {
  readonly responder: Responder;
  /** The stream begins. */
  begin(): void;
  /** It has fallen too far behind and gets nothing any more. */
  cut(): void;
}

export class AnswerLog {
  readonly #keepBytes: number;
  readonly #readers = new Set<LogReader>();
  /** What is in memory; `#firstChunk` is the number of the first. */
  #chunks: Uint8Array[] = [];
  #firstChunk = 0;
  #bytes = 0;
  #hasBegun = false;
  readonly #memory: AnswerMemory;
  /** Of what is in memory, what is counted there. */
  #countedBytes = 0;
  /** There was no memory for all of it. */
  #isCrowded = false;

  constructor(keepBytes: number, memory: AnswerMemory) {
    this.#keepBytes = keepBytes;
    this.#memory = memory;
  }

  /** Bytes said so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get isWhole(): boolean {
    return this.#bytes <= this.#keepBytes && !this.#isCrowded;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Everything said so far. Only while `isWhole`. */
  contents(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  join(options: LogReaderOptions): LogReader {
    const reader = new LogReader(this, options);
    this.#readers.add(reader);
    if (this.#hasBegun) reader.begin();
    return reader;
  }

  leave(reader: LogReader): void {
    this.#readers.delete(reader);
  }

  has(reader: LogReader): boolean {
    return this.#readers.has(reader);
  }

  begin(): void {
    this.#hasBegun = true;
    for (const reader of this.#readers) reader.begin();
  }

  /** False: nobody has room for more; `LogReader.drained` tells when somebody has. */
  append(bytes: Uint8Array): boolean {
    this.#chunks.push(bytes);
    this.#bytes += bytes.byteLength;
    this.#count(bytes.byteLength);
    for (const reader of this.#readers) reader.read();
    if (!this.isWhole) this.#forget();
    return this.hasRoom;
  }

  get hasRoom(): boolean {
    if (this.#readers.size === 0) return true;
    for (const reader of this.#readers) if (!reader.isBehind) return true;
    return false;
  }

  /** What waits for the fastest reader, in the log and on its way. */
  get unreadBytes(): number {
    let least = Infinity;
    for (const reader of this.#readers) least = Math.min(least, reader.unreadBytes);
    return least === Infinity ? 0 : least;
  }

  /** `undefined`: not said yet. */
  chunk(number: number): Uint8Array | undefined {
    return this.#chunks[number - this.#firstChunk];
  }

  /** Nobody joins any more, and nothing more comes. */
  release(): void {
    this.#memory.giveBack(this.#countedBytes, this.#countedBytes);
    this.#countedBytes = 0;
  }

  /** What a log that is crowded keeps is bounded by how far its fastest reader is behind. */
  #count(more: number): void {
    if (this.#isCrowded) return;
    if (this.#memory.grow(this.#countedBytes, more)) {
      this.#countedBytes += more;
    } else {
      this.#isCrowded = true;
      this.release();
    }
  }

  #forget(): void {
    const behindMax = Math.max(this.#isCrowded ? 0 : this.#keepBytes, this.#leastBehind);
    let read = this.#firstChunk + this.#chunks.length;
    for (const reader of this.#readers) {
      if (this.#bytes - reader.bytesRead > behindMax) reader.cut();
      else read = Math.min(read, reader.next);
    }
    const forgotten = this.#chunks.splice(0, read - this.#firstChunk);
    this.#firstChunk = read;
    if (this.#isCrowded) return;
    const bytes = forgotten.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    this.#memory.giveBack(this.#countedBytes, bytes);
    this.#countedBytes -= bytes;
  }

  get #leastBehind(): number {
    let least = Infinity;
    for (const reader of this.#readers) least = Math.min(least, this.#bytes - reader.bytesRead);
    return least;
  }
}

export class LogReader {
  /** The number of the chunk that it reads next. */
  next = 0;
  bytesRead = 0;
  readonly #log: AnswerLog;
  readonly #options: LogReaderOptions;
  #isBlocked = false;

  constructor(log: AnswerLog, options: LogReaderOptions) {
    this.#log = log;
    this.#options = options;
  }

  get isBehind(): boolean {
    return this.#isBlocked;
  }

  get unreadBytes(): number {
    return this.#log.bytes - this.bytesRead + this.#options.responder.unreadBytes;
  }

  begin(): void {
    this.#options.begin();
    this.read();
  }

  /** As much as its caller takes. */
  read(): void {
    while (!this.#isBlocked && this.#readOne()) continue;
  }

  /** All there is, whether its caller takes it or not: nothing more will come. */
  readToEnd(): void {
    while (this.#readOne()) continue;
  }

  /** Its caller has taken what it was given. */
  drained(): void {
    this.#isBlocked = false;
    this.read();
  }

  cut(): void {
    this.#log.leave(this);
    this.#options.cut();
  }

  #readOne(): boolean {
    const chunk = this.#log.chunk(this.next);
    if (chunk === undefined) return false;
    this.next++;
    this.bytesRead += chunk.byteLength;
    if (!this.#options.responder.write(chunk)) this.#isBlocked = true;
    return true;
  }
}
