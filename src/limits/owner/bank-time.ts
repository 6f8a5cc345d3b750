/**
 * The bank's time, by which windows are found: what the bank said last, carried on by the monotonic clock. So processes
 * whose wall clocks differ, or jump, agree on the window to within the time that a message takes. Until the bank has said
 * anything it is the process's own.
 */
export class BankTime {
  #offsetMs: number;

  /** The process's own times, of the same moment: since the epoch, and monotonic. */
  constructor(wallMs: number, monotonicMs: number) {
    this.#offsetMs = wallMs - monotonicMs;
  }

  /** The bank said `bankMs` between the two moments of the monotonic clock. */
  learn(bankMs: number, sentMs: number, receivedMs: number): void {
    this.#offsetMs = bankMs - (sentMs + receivedMs) / 2;
  }

  /** `nowMs`: monotonic. */
  at(nowMs: number): number {
    return nowMs + this.#offsetMs;
  }
}
