/**
 * The window of a stream whose beginning is held back: it ends after so many tokens of output, or so long after the
 * first, whichever comes first. It owns one timer, and only of streams that have a window.
 */
import type { CommitConfig } from "../../config/config.ts";
import type { Clock, Timer } from "../../kernel/clock.ts";

export class CommitWindow {
  readonly #clock: Clock;
  readonly #config: CommitConfig;
  readonly #over: () => void;
  #timer: Timer | null = null;
  #open = true;

  /** `over` is called at most once. */
  constructor(clock: Clock, config: CommitConfig, over: () => void) {
    this.#clock = clock;
    this.#config = config;
    this.#over = over;
  }

  /** The stream has so many tokens of output, by our count. */
  reached(outputTokens: number): void {
    if (!this.#open) return;
    if (outputTokens >= this.#config.windowTokens) this.#end();
    else this.#timer ??= this.#clock.setTimer(() => this.#end(), this.#config.windowMs);
  }

  /** The stream is over, or committed by itself. */
  stop(): void {
    this.#open = false;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #end(): void {
    this.stop();
    this.#over();
  }
}
