/**
 * How many calls of a target may be made again, so that an incident is not made worse by retries: a share of the requests
 * that it got of late, and always `RETRIES_MIN` in ten seconds. Invariant: within any ten seconds no more are spent than
 * the larger of `RETRIES_MIN` and the share of the requests of eleven.
 */
import { SlidingShare } from "./sliding-share.ts";

export const BUCKET_MS = 1_000;
/** Ten seconds and the one that has begun. */
const BUCKETS = 11;
const RETRIES_MIN = 10;

export class RetryBudget {
  /** All calls, and those that were made again. */
  readonly #calls = new SlidingShare(BUCKET_MS, BUCKETS);

  /** A call begins, be it the first of its request or not. */
  called(nowMs: number): void {
    this.#calls.add(1, 0, nowMs);
  }

  /** Calls that began in this second (`BUCKET_MS`) and the one before. */
  callsOfLate(nowMs: number): number {
    return this.#calls.allOfTwo(nowMs);
  }

  /** `percent`: of the requests of late; 0: none. */
  spend(percent: number, nowMs: number): boolean {
    const retries = this.#calls.some(nowMs);
    const requests = this.#calls.all(nowMs) - retries;
    if (percent <= 0 || retries >= Math.max(RETRIES_MIN, (requests * percent) / 100)) return false;
    this.#calls.add(0, 1, nowMs);
    return true;
  }
}
