/**
 * How long slow calls of a target take of late: the 95th percentile, from two histograms of which the older one is dropped
 * when the newer holds enough. So it rests on the last 100 to 200 calls, or on more where they were within a minute or
 * two. Buckets grow by a ninth, and the upper edge is told: at the most that much too long.
 */
const BUCKETS_PER_DOUBLING = 6.5;
/** Of an edge, so that it lies in its own bucket whatever the rounding. */
const EDGE_SLACK = 1e-9;
/** The last one is open: above half an hour. */
const BUCKETS = 136;
/** One of so many is slower than the 95th percentile. */
const SLOWER_ONE_OF = 20;
const SAMPLES_MIN = 5;
const SAMPLES_TO_ROTATE = 100;
const ROTATE_MS = 60_000;
const STALE_MS = 3_600_000;

export class RecentTimes {
  #newer = new Uint32Array(BUCKETS);
  #older = new Uint32Array(BUCKETS);
  #newerCount = 0;
  #olderCount = 0;
  #newerSinceMs = 0;
  #lastMs = 0;

  add(tookMs: number, nowMs: number): void {
    if (this.#newerCount >= SAMPLES_TO_ROTATE && nowMs - this.#newerSinceMs >= ROTATE_MS) this.#rotate();
    if (this.#newerCount === 0) this.#newerSinceMs = nowMs;
    const bucket = bucketOf(tookMs);
    this.#newer[bucket] = (this.#newer[bucket] ?? 0) + 1;
    this.#newerCount++;
    this.#lastMs = nowMs;
  }

  /**
   * Given up after so long: counts where that is slow already, and says nothing where it is not. Without it hedges would
   * hide slow calls, since the slow ones are those that are cancelled.
   */
  addGivenUp(silentMs: number, nowMs: number): void {
    const slowMs = this.slowMs(nowMs);
    if (slowMs !== null && bucketOf(silentMs) >= bucketOf(slowMs)) this.add(silentMs, nowMs);
  }

  /** `null`: too few to tell, or none in the last hour. */
  slowMs(nowMs: number): number | null {
    return this.#edgeMs(SLOWER_ONE_OF, nowMs);
  }

  /** Of all that are known; `null` as above. */
  slowestMs(nowMs: number): number | null {
    return this.#edgeMs(Infinity, nowMs);
  }

  /** What only one of so many is slower than. */
  #edgeMs(slowerOneOf: number, nowMs: number): number | null {
    const count = this.#newerCount + this.#olderCount;
    if (count < SAMPLES_MIN || nowMs - this.#lastMs > STALE_MS) return null;
    let slower = Math.floor(count / slowerOneOf);
    let bucket = BUCKETS;
    while (bucket > 0 && slower >= 0) {
      bucket--;
      slower -= (this.#newer[bucket] ?? 0) + (this.#older[bucket] ?? 0);
    }
    return upperEdgeMs(bucket);
  }

  #rotate(): void {
    const emptied = this.#older;
    emptied.fill(0);
    this.#older = this.#newer;
    this.#olderCount = this.#newerCount;
    this.#newer = emptied;
    this.#newerCount = 0;
  }
}

function bucketOf(ms: number): number {
  if (!(ms > 1)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms) * BUCKETS_PER_DOUBLING - EDGE_SLACK));
}

function upperEdgeMs(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_DOUBLING);
}
