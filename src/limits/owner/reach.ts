/** Whether the bank answers: tells when it begins and ceases to. */
export interface ReachEvents {
  bankUnreachable(cause: unknown): void;
  bankReachable(): void;
}

export class Reach {
  readonly #events: ReachEvents;
  #isReachable = true;

  constructor(events: ReachEvents) {
    this.#events = events;
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  answered(): void {
    if (this.#isReachable) return;
    this.#isReachable = true;
    this.#events.bankReachable();
  }

  failed(cause: unknown): void {
    if (!this.#isReachable) return;
    this.#isReachable = false;
    this.#events.bankUnreachable(cause);
  }
}
