/**
 * The provider's side of one attempt: the upstream call, what decodes its body where that is encoded, and how both are
 * let go. Bytes pass through it on their way to the attempt; pausing and resuming go to whatever gives the next ones.
 */
import type { Clock, Timer } from "../../kernel/clock.ts";
import { createContentDecoder, type ContentDecoder, type DecodedSink } from "../../providers/content-decoding.ts";
import type { Transport, UpstreamCall, UpstreamHandler, UpstreamRequest } from "../../providers/transport.ts";

export class ProviderSide {
  readonly #clock: Clock;
  readonly #lingerMs: number;
  #call: UpstreamCall | null = null;
  #decoder: ContentDecoder | null = null;
  #lingering: Timer | null = null;
  #closed = false;

  /** `lingerMs`: how long the connection of a complete stream may take to close by itself. */
  constructor(clock: Clock, lingerMs: number) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  /** The provider has ended it. */
  get closed(): boolean {
    return this.#closed;
  }

  send(transport: Transport, request: UpstreamRequest, handler: UpstreamHandler): void {
    this.#call = transport.send(request, handler);
  }

  /** Throws `upstream_malformed` for an encoding that is not known. */
  decodeBy(encoding: string | string[] | undefined, sink: DecodedSink): void {
    this.#decoder = createContentDecoder(encoding, () => this.#call, sink);
  }

  /** False: the bytes are as they are meant. Else they come to the sink, decoded. */
  decode(chunk: Uint8Array): boolean {
    this.#decoder?.write(chunk);
    return this.#decoder !== null;
  }

  /** The same at the end of the bytes: what a decoder still holds comes first, and whether there is a rest. */
  endDecoding(): boolean {
    this.#decoder?.end();
    return this.#decoder !== null;
  }

  pause(): void {
    (this.#decoder ?? this.#call)?.pause();
  }

  resume(): void {
    (this.#decoder ?? this.#call)?.resume();
  }

  close(): void {
    this.#closed = true;
    this.#lingering?.cancel();
    this.#lingering = null;
  }

  /** Nothing more is wanted of it. The connection of a complete stream gets a moment, so that it can be used again. */
  leave(isComplete: boolean): void {
    if (this.#closed) return;
    if (isComplete && this.#decoder === null) {
      // A caller who reads slowly may have paused it.
      this.#call?.resume();
      this.#call?.release();
      this.#lingering = abortLater(this.#clock, this.#call, this.#lingerMs);
      return;
    }
    this.#decoder?.destroy();
    this.#call?.abort();
  }
}

/** Holds on to the call alone. */
function abortLater(clock: Clock, call: UpstreamCall | null, delayMs: number): Timer {
  return clock.setTimer(() => call?.abort(), delayMs);
}
