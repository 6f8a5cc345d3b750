/**
 * Server-sent events, as the WHATWG HTML standard defines their stream (section 9.2.6), read incrementally and
 * without losing a byte: every event keeps its own wire bytes, and those of all events, one after the other, are
 * the input. However the input is cut into chunks, the events are the same.
 *
 * Where the standard leaves room or is not what providers do:
 * - A block without data (comments, a bare blank line) is delivered too, marked `comment`, so that it can be relayed.
 * - The last block of a stream is delivered by `end` even if its blank line or last line feed is missing, because
 *   providers do leave them out. Whoever relays the bytes of an event delivered by `end` ends it with a blank line.
 * - A blank line that ends in CR at the end of a chunk waits for the next byte (or `end`), which may be its LF.
 * - Bytes that are not UTF-8 become U+FFFD in `data`; `raw` keeps them, so a reader can tell.
 * - `id:` and `retry:` stay in `raw` and are not interpreted: no provider's stream can be resumed.
 */
import { HeadgateError } from "../kernel/errors.ts";
import { readBlock } from "./sse-block.ts";

export interface SseEvent {
  /** The `event:` field, empty if none. */
  readonly event: string;
  /** The `data:` lines joined by line feeds. */
  readonly data: string;
  /** True for a block without any data line (a comment or keep-alive). */
  readonly comment: boolean;
  /**
   * The event's bytes as they came, with the blank line that ends it. A view of the chunk where the event lies in
   * one chunk: whoever keeps it longer than the chunk copies it.
   */
  readonly raw: Uint8Array;
}

export interface SseLimits {
  /** The longest event in bytes, blank line included. */
  readonly eventBytes: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** A throw, its own or the sink's, leaves the parser unusable. */
export class SseParser {
  readonly #eventBytesMax: number;
  /** The beginning of an event whose end has not come yet. */
  #held: Buffer = Buffer.allocUnsafe(0);
  #heldLength = 0;
  /** Whether nothing of the current line has come yet. */
  #lineEmpty = true;
  /** The last byte of the previous chunk was a CR: an LF now belongs to the same line end. */
  #afterCr = false;
  /** The previous chunk ended with a blank line that ends in CR. */
  #endsInCr = false;
  #first = true;

  constructor(limits: SseLimits) {
    this.#eventBytesMax = limits.eventBytes;
  }

  /** Delivers the events that are complete. Throws `upstream_malformed` for one that is too long. */
  push(chunk: Uint8Array, sink: (event: SseEvent) => void): void {
    if (chunk.length === 0) return;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    let at = this.#afterCr && bytes[0] === LF ? 1 : 0;
    this.#afterCr = false;
    if (this.#endsInCr) {
      this.#endsInCr = false;
      this.#deliver(bytes, 0, at, sink);
      start = at;
    }
    let cr = bytes.indexOf(CR, at);
    let lf = bytes.indexOf(LF, at);
    while (lf >= 0 || cr >= 0) {
      const endsInCr = cr >= 0 && (lf < 0 || cr < lf);
      const end = endsInCr ? cr : lf;
      const blank = this.#lineEmpty && end === at;
      at = end + 1;
      if (endsInCr) {
        if (at === bytes.length) this.#afterCr = true;
        else if (bytes[at] === LF) at++;
        cr = bytes.indexOf(CR, at);
      }
      if (lf >= 0 && lf < at) lf = bytes[at] === LF ? at : bytes.indexOf(LF, at);
      this.#lineEmpty = true;
      if (!blank) continue;
      if (this.#afterCr) {
        this.#endsInCr = true;
        break;
      }
      this.#deliver(bytes, start, at, sink);
      start = at;
    }
    if (at < bytes.length) this.#lineEmpty = false;
    this.#hold(bytes, start);
  }

  /** Delivers what is left. The stream is over: the parser is not used again. */
  end(sink: (event: SseEvent) => void): void {
    if (this.#heldLength === 0) return;
    this.#deliver(this.#held, this.#heldLength, this.#heldLength, sink);
  }

  /** The event is what was held and `bytes` from `start` to `end`. */
  #deliver(bytes: Buffer, start: number, end: number, sink: (event: SseEvent) => void): void {
    let raw = bytes.subarray(start, end);
    if (this.#heldLength > 0) {
      if (bytes !== this.#held) this.#append(bytes, start, end);
      raw = this.#held.subarray(0, this.#heldLength);
      this.#held = Buffer.allocUnsafe(0);
      this.#heldLength = 0;
    }
    if (raw.length > this.#eventBytesMax) throw this.#tooLong();
    const first = this.#first;
    this.#first = false;
    sink(readBlock(raw, first));
  }

  #hold(bytes: Buffer, start: number): void {
    if (start < bytes.length) this.#append(bytes, start, bytes.length);
    if (this.#heldLength > this.#eventBytesMax) throw this.#tooLong();
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const needed = this.#heldLength + end - start;
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length));
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldLength, start, end);
    this.#heldLength = needed;
  }

  #tooLong(): HeadgateError {
    return new HeadgateError(
      "upstream_malformed",
      `The provider sent a stream event longer than ${this.#eventBytesMax} bytes. The operator can raise limits.streamEventBytes.`,
    );
  }
}
