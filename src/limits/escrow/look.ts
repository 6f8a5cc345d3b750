import type { HeadgateError } from "../../kernel/errors.ts";

/** How old the bank's word may be for who wants to know how an account stands. */
const RECENT_MS = 250;

/** When the bank last said how an account stands, and who waits for it to say so. */
export class Look {
  #atMs = -Infinity;
  #waiting: PromiseWithResolvers<void> | null = null;

  /** `nowMs`: monotonic. */
  isRecent(nowMs: number): boolean {
    return nowMs - this.#atMs < RECENT_MS;
  }

  /** Resolves at the next answer, or rejects with why there is none. */
  answered(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  resolve(nowMs: number): void {
    this.#atMs = nowMs;
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  reject(failure: HeadgateError): void {
    this.#waiting?.reject(failure);
    this.#waiting = null;
  }
}
