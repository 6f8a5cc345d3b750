/**
 * How fast a target serves while it is saturated, from the calls that ended lately: older ones count half with every
 * 15 seconds. Time without saturation is left out, because then the callers set the pace. Where nothing ends, the time since
 * the last end counts as well, so that a target that stalls is seen to be slow.
 */
const HALF_LIFE_MS = 15_000;

/** Of calls, with their weights by age: with less, nothing is known. */
const KNOWN_MIN = 0.01;

export class ServiceRate {
  #cost = 0;
  #calls = 0;
  #spanMs = 0;
  #sinceMs = 0;

  /** The target is saturated from now on. */
  begin(nowMs: number): void {
    this.#age(nowMs, 0);
  }

  /** A call of this cost has ended while the target was saturated. */
  served(cost: number, nowMs: number): void {
    this.#age(nowMs, nowMs - this.#sinceMs);
    this.#cost += cost;
    this.#calls++;
  }

  /**
   * How long a call waits that so much is served before: until that is done and one more slot is free. Milliseconds;
   * `null` while nothing is known. The target is saturated.
   */
  waitMs(costAhead: number, nowMs: number): number | null {
    const sinceMs = nowMs - this.#sinceMs;
    const age = 0.5 ** (sinceMs / HALF_LIFE_MS);
    if (this.#calls * age < KNOWN_MIN) return null;
    const spanMs = this.#spanMs * age + sinceMs;
    return (costAhead / (this.#cost * age) + 1 / (this.#calls * age)) * spanMs;
  }

  #age(nowMs: number, saturatedMs: number): void {
    const age = 0.5 ** ((nowMs - this.#sinceMs) / HALF_LIFE_MS);
    this.#cost *= age;
    this.#calls *= age;
    this.#spanMs = this.#spanMs * age + saturatedMs;
    this.#sinceMs = nowMs;
  }
}
