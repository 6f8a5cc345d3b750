/**
 * Puts the bytes of a response on the wire in the odd ways that `framing` faults ask for: byte order mark, CR LF,
 * several events in one packet, pieces that end inside a character, a slow drip, gzip. Without such a fault a response
 * is written directly and this file is not involved.
 *
 * `write` takes one event (or one body) at a time and says, as a stream's does, whether to go on; after `false`,
 * `onDrain` is called once the reader has caught up.
 */
import type { ServerResponse } from "node:http";
import { constants, createGzip, type Gzip } from "node:zlib";
import { faultNumber, findFault, type Fault } from "../faults.ts";
import type { Paced, Pacer } from "./pace.ts";

const DRIP_QUEUE_BYTES = 65_536;
const DRIP_INTERVAL_MS = 1;

export function needsFraming(faults: readonly Fault[]): boolean {
  return faults.some(
    (fault) =>
      fault.kind === "framing" &&
      fault.name !== "slow-headers" &&
      fault.name !== "wrong-content-type" &&
      fault.name !== "comments",
  );
}

export class Framing implements Paced {
  dueTick: number | null = null;
  readonly #response: ServerResponse;
  readonly #pacer: Pacer;
  readonly #onDrain: () => void;
  readonly #crlf: boolean;
  readonly #split: boolean;
  readonly #group: number;
  readonly #dripBytes: number;
  readonly #gzip: Gzip | null;
  #bom: boolean;
  #held = "";
  #heldEvents = 0;
  #carry: Buffer = Buffer.alloc(0);
  #queue: Buffer = Buffer.alloc(0);
  #ending = false;
  #nextDripMs = 0;

  constructor(response: ServerResponse, faults: readonly Fault[], pacer: Pacer, onDrain: () => void) {
    this.#response = response;
    this.#pacer = pacer;
    this.#onDrain = onDrain;
    this.#bom = findFault(faults, "bom") !== null;
    this.#crlf = findFault(faults, "crlf") !== null;
    this.#split = findFault(faults, "split-utf8") !== null;
    const packets = findFault(faults, "many-events-per-packet");
    this.#group = packets ? Math.max(1, faultNumber(packets, 10)) : 1;
    const drip = findFault(faults, "slow-drip");
    this.#dripBytes = drip ? Math.max(1, faultNumber(drip, 7)) : 0;
    this.#gzip = findFault(faults, "gzip") ? createGzip() : null;
    this.#gzip?.on("data", (bytes: Buffer) => {
      if (!this.#emit(bytes)) this.#gzip?.pause();
    });
    this.#gzip?.on("end", () => this.#finish());
    this.#gzip?.on("drain", onDrain);
    response.on("drain", () => this.#drained());
    response.on("close", () => this.#abandon());
  }

  write(text: string): boolean {
    this.#held += text;
    this.#heldEvents++;
    return this.#heldEvents < this.#group ? true : this.#flush();
  }

  writeBytes(bytes: Buffer): boolean {
    this.#flush();
    return this.#send(bytes);
  }

  end(): void {
    this.#flush();
    if (this.#carry.length > 0) this.#compress(this.#carry);
    this.#carry = Buffer.alloc(0);
    if (this.#gzip) this.#gzip.end();
    else this.#finish();
  }

  onDue(nowMs: number): void {
    const piece = this.#queue.subarray(0, this.#dripBytes);
    this.#queue = this.#queue.subarray(piece.length);
    this.#response.write(piece);
    if (this.#queue.length > 0) {
      this.#nextDripMs = Math.max(nowMs, this.#nextDripMs + DRIP_INTERVAL_MS);
      this.#pacer.schedule(this, this.#nextDripMs);
    } else if (this.#ending) this.#response.end();
    else this.#drained();
  }

  #drained(): void {
    this.#gzip?.resume();
    this.#onDrain();
  }

  #flush(): boolean {
    if (this.#held === "") return true;
    let text = this.#bom ? `\ufeff${this.#held}` : this.#held;
    this.#bom = false;
    this.#held = "";
    this.#heldEvents = 0;
    if (this.#crlf) text = text.replaceAll("\n", "\r\n");
    return this.#send(Buffer.from(text));
  }

  #send(bytes: Buffer): boolean {
    if (!this.#split) return this.#compress(bytes);
    const joined = this.#carry.length > 0 ? Buffer.concat([this.#carry, bytes]) : bytes;
    const cut = insideLastCharacter(joined);
    this.#carry = joined.subarray(cut);
    return cut === 0 || this.#compress(joined.subarray(0, cut));
  }

  #compress(bytes: Buffer): boolean {
    if (!this.#gzip) return this.#emit(bytes);
    const roomy = this.#gzip.write(bytes);
    this.#gzip.flush(constants.Z_SYNC_FLUSH);
    return roomy;
  }

  #emit(bytes: Buffer): boolean {
    if (this.#dripBytes === 0) return this.#response.write(bytes);
    this.#queue = this.#queue.length === 0 ? bytes : Buffer.concat([this.#queue, bytes]);
    if (this.dueTick === null) this.#pacer.schedule(this, this.#nextDripMs);
    return this.#queue.length < DRIP_QUEUE_BYTES;
  }

  #finish(): void {
    this.#ending = true;
    if (this.#queue.length === 0) this.#response.end();
  }

  #abandon(): void {
    this.#queue = Buffer.alloc(0);
    this.#pacer.cancel(this);
    this.#gzip?.destroy();
  }
}

/** An index inside the last multi-byte character, or the length if there is none. */
function insideLastCharacter(bytes: Buffer): number {
  for (let index = bytes.length - 1; index > 0; index--) if (((bytes[index] ?? 0) & 0xc0) === 0x80) return index;
  return bytes.length;
}
