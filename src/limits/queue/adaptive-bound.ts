/**
 * How many calls a target takes at a time, found out from how it answers (AIMD, as TCP finds its window).
 *
 *   seeking: one more with each call ── first sign of congestion ──▶ found: one more, or a twentieth, with each round
 *
 * It grows only while all its slots are taken, since else nothing is learned of more. Signs of congestion: a call that
 * was limited (429) takes a quarter away, a round of calls that took long (usual-time.ts) a fifth. Failures count as
 * long calls: a few change nothing. Streams are judged by their first output, whole answers by their end, apart.
 *
 * Invariants: between 1 and `most`. After a cut only calls that began after it are heeded, so one overload is one cut.
 */
import type { PassOutcome } from "./pass.ts";
import { UsualTime } from "./usual-time.ts";

/** Where nothing is configured. */
const START = 32;
const GROWTH_SHARE = 0.05;
const LIMITED_CUT = 0.75;
const LONG_CUT = 0.8;

export class AdaptiveBound {
  readonly #firstOutputs = new UsualTime();
  readonly #answers = new UsualTime();
  #most: number;
  #bound: number;
  #isSeeking = true;
  #cutAtMs = -Infinity;

  /** `most`: as configured, and where it begins; `Infinity`: nothing is known. */
  constructor(most: number) {
    this.#most = most;
    this.#bound = most === Infinity ? START : most;
  }

  get bound(): number {
    return Math.floor(this.#bound);
  }

  configure(most: number): void {
    this.#most = most;
    this.#bound = Math.min(most, this.#bound);
  }

  /** A call has ended. `full`: all slots were taken until then. `beganMs`, `nowMs`: monotonic. */
  ended(outcome: PassOutcome, full: boolean, beganMs: number, nowMs: number): void {
    if (beganMs < this.#cutAtMs) return;
    switch (outcome.kind) {
      case "neutral":
        return;
      case "limited":
        this.#cut(LIMITED_CUT, nowMs);
        return;
      case "failed":
        if (this.#isLongWithFailure()) this.#cut(LONG_CUT, nowMs);
        return;
      case "answered":
        if (this.#isLongWith(outcome.firstOutputMs, outcome.totalMs)) this.#cut(LONG_CUT, nowMs);
        else if (full) this.#grow();
    }
  }

  #isLongWith(firstOutputMs: number | null, totalMs: number): boolean {
    if (firstOutputMs === null) return this.#answers.add(totalMs, this.#bound);
    return this.#firstOutputs.add(firstOutputMs, this.#bound);
  }

  #isLongWithFailure(): boolean {
    const streamsAreLong = this.#firstOutputs.addFailure(this.#bound);
    return this.#answers.addFailure(this.#bound) || streamsAreLong;
  }

  #grow(): void {
    const growth = this.#isSeeking ? 1 : Math.max(1 / this.#bound, GROWTH_SHARE);
    this.#bound = Math.min(this.#most, this.#bound + growth);
  }

  #cut(share: number, nowMs: number): void {
    this.#bound = Math.max(1, this.#bound * share);
    this.#isSeeking = false;
    this.#cutAtMs = nowMs;
    this.#firstOutputs.forgetRound();
    this.#answers.forgetRound();
  }
}
