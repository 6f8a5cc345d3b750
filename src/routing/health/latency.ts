/**
 * How long a target takes of late, for balancing load: a moving average that jumps to every higher value at once and comes
 * down within tens of seconds (peak-EWMA, as in Finagle's load balancer). Time until the first output is what tells of
 * load, since the whole depends on the length of the answer; the whole counts only while nothing else is known.
 *
 * A call that failed or was limited counts as one that took twice as long as usual: else a target that fails quickly would attract calls.
 * An idle target is forgiven with time, and so is tried again.
 */
const DECAY_MS = 10_000;
/** Assumed of a target of which nothing is known while calls are under way. */
const UNKNOWN_MS = 1_000;
const MOST_MS = 3_600_000;

export class Latency {
  readonly #firstOutput = new PeakAverage();
  readonly #whole = new PeakAverage();
  #idleSinceMs = 0;

  firstOutput(tookMs: number, nowMs: number): void {
    this.#firstOutput.observe(tookMs, nowMs);
  }

  /** An answer of which only the end was seen. */
  whole(tookMs: number, nowMs: number): void {
    this.#whole.observe(tookMs, nowMs);
  }

  refused(nowMs: number): void {
    const average = this.#firstOutput.isKnown ? this.#firstOutput : this.#whole;
    average.observe(Math.min(MOST_MS, 2 * (average.isKnown ? average.value : UNKNOWN_MS)), nowMs);
  }

  idle(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  /** By the calls under way. 0: idle, and nothing is known. */
  load(underWay: number, nowMs: number): number {
    const average = this.#firstOutput.isKnown ? this.#firstOutput : this.#whole;
    if (!average.isKnown) return underWay * UNKNOWN_MS;
    if (underWay > 0) return average.value * (underWay + 1);
    return average.value * Math.exp((this.#idleSinceMs - nowMs) / DECAY_MS);
  }
}

class PeakAverage {
  #value = 0;
  #atMs = 0;
  isKnown = false;

  get value(): number {
    return this.#value;
  }

  observe(value: number, nowMs: number): void {
    const keep = value >= this.#value ? 0 : Math.exp((this.#atMs - nowMs) / DECAY_MS);
    this.#value = value + (this.#value - value) * keep;
    this.#atMs = nowMs;
    this.isKnown = true;
  }
}
