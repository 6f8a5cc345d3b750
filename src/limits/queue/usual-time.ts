/**
 * Whether calls take longer than usual, round by round: a round is so many calls, and its average is compared with those
 * of earlier ones. Twice as long is long. The usual time follows better rounds, and not worse ones: else a target that
 * fills bit by bit would seem to have been as slow all along.
 *
 * What is done about long rounds is fewer calls at a time. Where five in a row are long and that has not helped, it is
 * the calls that have become longer, or somebody else who fills the target: then that is what is usual.
 */
const ROUND_MIN = 30;
const LONG_RATIO = 2;
const FAILURE_RATIO = 4;
const FALL_WEIGHT = 0.2;
const LONG_ROUNDS_MAX = 5;
/** What counts as help, of the longest of these rounds. */
const HELP_RATIO = 0.7;

export class UsualTime {
  /** 0: not known yet. */
  #usualMs = 0;
  #sumMs = 0;
  #count = 0;
  #roundSize = ROUND_MIN;
  #longRounds = 0;
  #longestMs = 0;

  /** Whether a long round ends with this call. `roundSize`: of a round that begins with it, if more than the least. */
  add(tookMs: number, roundSize: number): boolean {
    if (this.#count === 0) this.#roundSize = Math.max(ROUND_MIN, roundSize);
    this.#sumMs += tookMs;
    this.#count++;
    if (this.#count < this.#roundSize) return false;
    const meanMs = this.#sumMs / this.#count;
    this.forgetRound();
    if (this.#usualMs > 0 && meanMs > this.#usualMs * LONG_RATIO) return this.#isLongStill(meanMs);
    this.#longRounds = 0;
    if (this.#usualMs === 0) this.#usualMs = meanMs;
    else if (meanMs < this.#usualMs) this.#usualMs += (meanMs - this.#usualMs) * FALL_WEIGHT;
    return false;
  }

  /** A failed call counts as one that took four times as long as usual; it says nothing while that is not known. */
  addFailure(roundSize: number): boolean {
    return this.#usualMs > 0 && this.add(this.#usualMs * FAILURE_RATIO, roundSize);
  }

  /** Calls of before count no more. */
  forgetRound(): void {
    this.#sumMs = 0;
    this.#count = 0;
  }

  #isLongStill(meanMs: number): boolean {
    this.#longRounds++;
    this.#longestMs = this.#longRounds === 1 ? meanMs : Math.max(this.#longestMs, meanMs);
    if (this.#longRounds < LONG_ROUNDS_MAX) return true;
    this.#longRounds = 0;
    if (meanMs <= this.#longestMs * HELP_RATIO) return true;
    this.#usualMs = meanMs;
    return false;
  }
}
