/**
 * The gate in front of all work: how many exchanges run in this process, and whether new ones are taken at all. Under
 * overload requests of priority `batch` are refused first. Invariant: every `enter` that returned is followed by one `leave`.
 */
import { HeadgateError } from "../kernel/errors.ts";
import { assert } from "../kernel/assert.ts";
import type { LimitsConfig } from "../config/config.ts";
import type { Priority } from "../limits/queue/priority.ts";
import { AnswerMemory } from "../streaming/answer-memory.ts";

/** What an overloaded caller is told to wait before trying again. */
const RETRY_AFTER_MS = 1_000;
/** What requests of priority `batch` may fill: the rest is kept for those that somebody waits for. */
const BATCH_SHARE = 0.8;

export type AdmissionLimits = Pick<LimitsConfig, "concurrentRequests" | "heldBytes">;

export interface Admission {
  readonly inFlight: number;
  readonly draining: boolean;
  /** What their answers take of the memory together. */
  readonly answers: AnswerMemory;
  /**
   * From now on these limits. Throws `shutting_down`, or `overloaded` when `concurrentRequests` are running, or nearly as
   * many for one of `batch`.
   */
  enter(limits: AdmissionLimits, priority: Priority): void;
  leave(): void;
  /** From now on nothing enters; resolves when the last one has left. */
  drain(): Promise<void>;
}

export function createAdmission(): Admission {
  let inFlight = 0;
  let draining = false;
  const answers = new AnswerMemory(0);
  const empty = Promise.withResolvers<void>();
  return {
    get inFlight() {
      return inFlight;
    },
    get draining() {
      return draining;
    },
    answers,
    enter({ concurrentRequests: limit, heldBytes }, priority) {
      answers.bytesMax = heldBytes;
      if (draining) {
        throw new HeadgateError(
          "shutting_down",
          "The gateway is shutting down. Try again: another process takes over.",
          { retryAfterMs: RETRY_AFTER_MS },
        );
      }
      if (inFlight >= limit || (priority === "batch" && inFlight >= limit * BATCH_SHARE)) throw tooMany(inFlight);
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

function tooMany(inFlight: number): HeadgateError {
  const message = `The gateway serves ${inFlight} requests and takes no more for the moment (limits.concurrentRequests). Try again shortly.`;
  return new HeadgateError("overloaded", message, { retryAfterMs: RETRY_AFTER_MS });
}
