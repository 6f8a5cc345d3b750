/**
 * The gate in front of all work: how many exchanges run in this process, and whether new ones are taken at all.
 * Queues, rates and money join it here. Invariant: every `enter` that returned is followed by one `leave`.
 */
import { HeadgateError } from "../kernel/errors.ts";
import { assert } from "../kernel/assert.ts";

/** What an overloaded caller is told to wait before trying again. */
const RETRY_AFTER_MS = 1_000;

export interface Admission {
  readonly inFlight: number;
  readonly draining: boolean;
  /** Throws `shutting_down`, or `overloaded` when `limit` exchanges are running. */
  enter(limit: number): void;
  leave(): void;
  /** From now on nothing enters; resolves when the last one has left. */
  drain(): Promise<void>;
}

export function createAdmission(): Admission {
  let inFlight = 0;
  let draining = false;
  const empty = Promise.withResolvers<void>();
  return {
    get inFlight() {
      return inFlight;
    },
    get draining() {
      return draining;
    },
    enter(limit) {
      if (draining) {
        throw new HeadgateError(
          "shutting_down",
          "The gateway is shutting down. Try again: another process takes over.",
          {
            retryAfterMs: RETRY_AFTER_MS,
          },
        );
      }
      if (inFlight >= limit) {
        throw new HeadgateError(
          "overloaded",
          `The gateway already serves ${limit} requests (limits.concurrentRequests). Try again shortly.`,
          {
            retryAfterMs: RETRY_AFTER_MS,
          },
        );
      }
      inFlight++;
    },
    leave() {
      assert(inFlight > 0, "admission: more left than entered");
      inFlight--;
      if (draining && inFlight === 0) empty.resolve();
    },
    drain() {
      draining = true;
      if (inFlight === 0) empty.resolve();
      return empty.promise;
    },
  };
}
