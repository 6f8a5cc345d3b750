import type { Clock, Timer } from "../../kernel/clock.ts";

/** A wait between two calls, which ends early only when it is cancelled: not even by as much as timers are inexact. */
export class Pause {
  readonly over: Promise<void>;
  readonly #clock: Clock;
  /** Monotonic. */
  readonly #dueMs: number;
  readonly #end: () => void;
  #timer: Timer;

  constructor(clock: Clock, delayMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
    this.#clock = clock;
    const wholeMs = Math.ceil(delayMs);
    this.#dueMs = clock.monotonicMs() + wholeMs;
    this.#timer = clock.setTimer(this.#fired, wholeMs);
  }

  cancel(): void {
    this.#timer.cancel();
    this.#end();
  }

  readonly #fired = (): void => {
    const leftMs = this.#dueMs - this.#clock.monotonicMs();
    if (leftMs > 0) this.#timer = this.#clock.setTimer(this.#fired, Math.ceil(leftMs));
    else this.#end();
  };
}
