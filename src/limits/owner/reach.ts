/**
 * Whether the bank answers: tells when it begins and ceases to, and knows when it is tried again.
 *
 *   in reach ──anything fails──▶ lost ──anything is answered──▶ in reach
 *
 * While it is lost nobody is made to wait for it: leases alone are asked for, each poll unless one is under way, and it is
 * found again by their answer. A bank that is silent is given up late, so the next try may be seconds away.
 */
export interface ReachEvents {
  bankUnreachable(cause: unknown): void;
  bankReachable(): void;
}

export class Reach {
  readonly #events: ReachEvents;
  #isReachable = true;
  /** Monotonic, of the try that is under way. `null`: none is. */
  #tryingSinceMs: number | null = null;
  /** How long the last one took that failed. */
  #tookMs = 0;

  constructor(events: ReachEvents) {
    this.#events = events;
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** A lease is asked for at `nowMs`, monotonic. */
  tries(nowMs: number): void {
    this.#tryingSinceMs = nowMs;
  }

  /** Until it is tried again: a poll after the end of what is under way, which takes as long as the last that failed. */
  retryAfterMs(nowMs: number, pollMs: number): number {
    if (this.#isReachable || this.#tryingSinceMs === null) return pollMs;
    return pollMs + Math.max(0, Math.ceil(this.#tryingSinceMs + this.#tookMs - nowMs));
  }

  answered(): void {
    this.#tryingSinceMs = null;
    this.#tookMs = 0;
    if (this.#isReachable) return;
    this.#isReachable = true;
    this.#events.bankReachable();
  }

  /** No lease was to be had, at `nowMs`. */
  triedInVain(cause: unknown, nowMs: number): void {
    if (this.#tryingSinceMs !== null) this.#tookMs = nowMs - this.#tryingSinceMs;
    this.#tryingSinceMs = null;
    this.failed(cause);
  }

  failed(cause: unknown): void {
    if (!this.#isReachable) return;
    this.#isReachable = false;
    this.#events.bankUnreachable(cause);
  }
}
