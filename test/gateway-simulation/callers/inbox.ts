/**
 * The caller's side of an answer: takes what is written at the caller's pace, like a socket with a buffer before it, and
 * keeps all of it to be judged. It objects to what a caller would never get to see, and to what nobody holds back.
 */
import type { Responder } from "../../../src/exchange/responder.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import { Violation } from "../checks/violation.ts";

/** How a caller reads. */
export type Reading =
  | { readonly kind: "at once" }
  /** So many bytes at a time; never if `everyMs` is `Infinity`. */
  | { readonly kind: "slowly"; readonly bytes: number; readonly everyMs: number };

export interface InboxDeps {
  readonly agenda: Agenda;
  readonly reading: Reading;
  /** Above it a writer is told to wait. */
  readonly bufferBytes: number;
  readonly violated: (violation: Violation) => void;
  /** There is room again. */
  readonly drained: () => void;
  /** The first of an answer is written; comments are none. */
  readonly shown: () => void;
}

/** What may come although a writer was told to wait: a few packets on their way. */
const ON_THEIR_WAY_BYTES = 12_000;

/** A line of an event stream that begins with a colon. */
const COMMENT = 0x3a;

export class Inbox implements Responder {
  headSent = false;
  bytesOut = 0;
  unreadBytes = 0;
  status: number | null = null;
  readonly headers: Map<string, string> = new Map();
  headAtMs: number | null = null;
  endedAtMs: number | null = null;
  /** `send` and `end` end it well, as far as a connection can tell. */
  endedBy: "send" | "end" | "destroy" | null = null;
  readonly #deps: InboxDeps;
  /** Something of an answer was written. */
  hasShown = false;
  readonly #chunks: Buffer[] = [];
  #left = false;
  #isCut = false;
  #needsDrain = false;
  #taking = false;
  /** What was handed over at this moment, and the most that ever was: what a commit point held back comes at once. */
  #burst = { atMs: 0, bytes: 0 };
  #burstBytesMax = 0;

  constructor(deps: InboxDeps) {
    this.#deps = deps;
  }

  /** All that was written. */
  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  /** Who writes is gone: nothing more comes. */
  cut(): void {
    this.#isCut = true;
    this.destroy();
  }

  /** The caller is gone: nothing reaches it any more. */
  leave(): void {
    this.#left = true;
    this.unreadBytes = 0;
  }

  get hasLeft(): boolean {
    return this.#left;
  }

  send(status: number, headers: string[], body: Uint8Array): void {
    this.#takeHead(status, headers);
    this.#add(body);
    this.#end("send");
  }

  start(status: number, headers: string[]): void {
    this.#takeHead(status, headers);
  }

  write(bytes: Uint8Array): boolean {
    if (!this.headSent) this.#violate("bytes are written before the head");
    if (this.#left) this.#violate("bytes are written to a caller who has left");
    this.#add(bytes);
    if (!this.hasShown && bytes[0] !== COMMENT) {
      this.hasShown = true;
      this.#deps.shown();
    }
    this.#needsDrain = this.unreadBytes >= this.#deps.bufferBytes;
    return !this.#needsDrain;
  }

  end(bytes: Uint8Array | null): void {
    if (bytes !== null) this.#add(bytes);
    this.#end("end");
  }

  destroy(): void {
    if (this.endedBy === null) this.#end("destroy");
  }

  #takeHead(status: number, headers: readonly string[]): void {
    if (this.headSent) this.#violate("a second head is sent");
    this.headSent = true;
    this.status = status;
    this.headAtMs = this.#deps.agenda.nowMs;
    for (let at = 0; at + 1 < headers.length; at += 2) this.headers.set(headers[at] ?? "", headers[at + 1] ?? "");
  }

  #add(bytes: Uint8Array): void {
    if (this.endedBy !== null) this.#violate("bytes are written after the end of the answer");
    const { agenda, reading, bufferBytes } = this.#deps;
    this.#chunks.push(Buffer.from(bytes));
    this.bytesOut += bytes.byteLength;
    if (this.#left || reading.kind === "at once") return;
    this.unreadBytes += bytes.byteLength;
    if (agenda.nowMs !== this.#burst.atMs) this.#burst = { atMs: agenda.nowMs, bytes: 0 };
    this.#burst.bytes += bytes.byteLength;
    this.#burstBytesMax = Math.max(this.#burstBytesMax, this.#burst.bytes);
    const bytesMax = bufferBytes + this.#burstBytesMax + ON_THEIR_WAY_BYTES;
    if (this.unreadBytes > bytesMax) agenda.after(0, () => this.#expectUnread(bytesMax));
    this.#take(reading.bytes, reading.everyMs);
  }

  /** What ends an answer is handed over whole, whether its caller takes it or not. */
  #expectUnread(bytesMax: number): void {
    if (this.endedBy !== null || this.unreadBytes <= bytesMax) return;
    this.#deps.violated(new Violation("memory", `${this.unreadBytes} bytes wait for a caller who does not read.`));
  }

  #take(bytes: number, everyMs: number): void {
    if (this.#taking || this.#left || this.unreadBytes === 0 || everyMs === Infinity) return;
    this.#taking = true;
    this.#deps.agenda.after(everyMs, () => {
      this.#taking = false;
      this.unreadBytes = Math.max(0, this.unreadBytes - bytes);
      if (this.unreadBytes === 0 && this.#needsDrain && !this.#left && !this.#isCut) {
        this.#needsDrain = false;
        this.#deps.drained();
      }
      this.#take(bytes, everyMs);
    });
  }

  #end(by: "send" | "end" | "destroy"): void {
    if (this.endedBy !== null) {
      this.#deps.violated(
        new Violation("once", `An answer that was ended by "${this.endedBy}" ends again by "${by}".`),
      );
    }
    this.endedBy = by;
    this.endedAtMs = this.#deps.agenda.nowMs;
  }

  #violate(what: string): void {
    this.#deps.violated(new Violation("afterwards", `In an answer of ${this.bytesOut} bytes ${what}.`));
  }
}
