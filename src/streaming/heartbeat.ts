/**
 * Keeps a caller's connection from falling silent: whenever nothing was sent for about `silenceMs`, `beat` is called,
 * and it decides what to send. It looks twice in that time instead of being told of every write, so that a stream in
 * flow pays nothing for it; a beat comes between half of `silenceMs` and all of it after the last byte.
 */
import type { Clock, Timer } from "../kernel/clock.ts";

export interface HeartbeatLine {
  /** Sent to the caller so far. */
  readonly bytesOut: number;
  /** Nothing was sent for a while. */
  beat(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #lookMs: number;
  readonly #line: HeartbeatLine;
  #bytesSeen: number;
  #timer: Timer;

  /** Begins at once. */
  constructor(clock: Clock, silenceMs: number, line: HeartbeatLine) {
    this.#clock = clock;
    this.#lookMs = silenceMs / 2;
    this.#line = line;
    this.#bytesSeen = line.bytesOut;
    this.#timer = this.#arm();
  }

  /** No beat follows. */
  stop(): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#clock.setTimer(() => this.#look(), this.#lookMs);
  }

  #look(): void {
    this.#timer = this.#arm();
    if (this.#line.bytesOut === this.#bytesSeen) this.#line.beat();
    this.#bytesSeen = this.#line.bytesOut;
  }
}
