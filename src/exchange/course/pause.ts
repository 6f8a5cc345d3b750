import type { Clock, Timer } from "../../kernel/clock.ts";

/** A wait between two calls, which ends early when it is cancelled. */
export class Pause {
  readonly over: Promise<void>;
  readonly #timer: Timer;
  readonly #end: () => void;

  constructor(clock: Clock, delayMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
    this.#timer = clock.setTimer(resolve, delayMs);
  }

  cancel(): void {
    this.#timer.cancel();
    this.#end();
  }
}
