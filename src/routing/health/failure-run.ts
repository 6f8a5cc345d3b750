/**
 * Whether calls that failed one after another mean that a target answers nobody any more. Of one that always answers a few
 * do; one that fails for half of its calls has such a row every other minute, and has to be judged by what is usual for it.
 * So the row has to be so long that it is a coincidence in one of `COINCIDENCE` cases, and no longer than `LONGEST`.
 *
 * Failures are mostly quicker than answers: as long as not many more calls have failed than are still silent, these may be
 * the answers in between, but not for long.
 *
 * The usual share of failures is a moving average over some `MEMORY` calls, and over no time: of a target that is called
 * rarely, little is known for long. A row counts towards it when an answer ends it, and no longer than `COUNTED_MAX`: a
 * target that was down and has recovered is not one that usually fails.
 */
const COINCIDENCE = 10_000;
const MEMORY = 32;
const LONGEST = 50;
const COUNTED_MAX = 10;
const KEPT = 1 - 1 / MEMORY;
const FAILED_PER_SILENT = 4;

export class FailureRun {
  /** Calls and failures before this row, the older the less. */
  #calls = 0;
  #failures = 0;
  #length = 0;
  #sinceMs = 0;
  #silent = 0;

  /** Failures since the last answer. */
  get length(): number {
    return this.#length;
  }

  /** A call begins. */
  began(): void {
    this.#silent++;
  }

  /** Of a call that has begun there was output, or it has ended without any. */
  heard(): void {
    this.#silent--;
  }

  answered(): void {
    const failures = Math.min(this.#length, COUNTED_MAX);
    const kept = KEPT ** (failures + 1);
    this.#calls = this.#calls * kept + failures + 1;
    this.#failures = this.#failures * kept + failures;
    this.#length = 0;
  }

  failed(nowMs: number): void {
    if (this.#length === 0) this.#sinceMs = nowMs;
    this.#length++;
  }

  /** `leastLength`: of a target that never fails otherwise. `silenceMs`: for so long those that are silent may be answers. */
  isTelling(leastLength: number, silenceMs: number, nowMs: number): boolean {
    if (this.#length < Math.max(leastLength, Math.min(LONGEST, this.#tellingLength()))) return false;
    return this.#length > this.#silent * FAILED_PER_SILENT || nowMs - this.#sinceMs >= silenceMs;
  }

  #tellingLength(): number {
    return this.#failures === 0 ? 1 : Math.log(COINCIDENCE) / Math.log(this.#calls / this.#failures);
  }
}
