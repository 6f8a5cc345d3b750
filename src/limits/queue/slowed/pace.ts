/**
 * How fast calls may leave for a target whose provider limits its rate (429), found out from what it accepts.
 *
 *   nothing was accepted of late ──────────▶ one call, after a pause that doubles each time; then twice as fast each second
 *   less than half of ten calls or more ───▶ as many in a second as were; then twice as fast every eight seconds
 *   more ──────────────────────────────────▶ as fast as before: such 429s are the requests' own, or the limit is near
 *
 * Where the provider says when to come back, all wait for that; they leave at twice what was accepted then, at the most.
 *
 * So a target is offered between once and twice what it takes, and one that limits less than half of its calls is never
 * slowed down: that would keep requests waiting that could be answered. After a while without 429s nothing is left of it.
 *
 * Invariant: while nothing is accepted one call leaves after each pause, and calls that follow it until its 429 is known.
 */
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 2_000;
/** With fewer calls a share says nothing. */
const CALLS_MIN = 10;
const UNKNOWN_DOUBLING_MS = 1_000;
const KNOWN_DOUBLING_MS = 8_000;
/** A pace that is no bound. */
const FREE_PER_SECOND = 1_000;
/** Timers are late: what could have left in so long may leave at once. */
const CATCH_UP_MS = 20;

/** Calls of a target that began within so long. */
export interface CallsOfLate {
  readonly calls: number;
  /** How many of them were limited. */
  readonly limited: number;
  readonly spanMs: number;
}

/** A call that was limited. All times are monotonic milliseconds. */
export interface LimitedCall {
  readonly beganMs: number;
  /** Whether the provider said when to come back: then that is waited for, and the pause does not grow. */
  readonly saysWhen: boolean;
  /** Until then nobody may leave, whatever the pace. */
  readonly againMs: number;
  readonly ofLate: CallsOfLate;
}

export class Pace {
  /** At `#sinceMs`, when it was set last. */
  #perSecond = FREE_PER_SECOND;
  #sinceMs = -Infinity;
  #doublingMs = KNOWN_DOUBLING_MS;
  /** Pauses in a row while nothing was accepted. */
  #pauses = 0;
  /** When the next call may leave. */
  #nextMs = -Infinity;

  get nextMs(): number {
    return this.#nextMs;
  }

  /** Whether it bounds nobody. */
  isOver(nowMs: number): boolean {
    return this.perSecond(nowMs) >= FREE_PER_SECOND;
  }

  /** Calls under way together are limited together: those that began before the last pause make no other. */
  limited(call: LimitedCall, nowMs: number): void {
    this.#adjust(call, nowMs);
    this.#nextMs = Math.max(this.#nextMs, call.againMs);
  }

  /** A call leaves. */
  left(nowMs: number): void {
    this.#nextMs = Math.max(this.#nextMs, nowMs - CATCH_UP_MS) + 1_000 / this.perSecond(nowMs);
  }

  perSecond(nowMs: number): number {
    return this.#perSecond * 2 ** ((nowMs - this.#sinceMs) / this.#doublingMs);
  }

  #adjust({ beganMs, saysWhen, ofLate: { calls, limited, spanMs } }: LimitedCall, nowMs: number): void {
    const accepted = calls - limited;
    if (accepted > 0) {
      this.#pauses = 0;
      const perSecond = (accepted * 1_000) / spanMs;
      const afterPause = Math.max(1_000 / PAUSE_MS, 2 * perSecond);
      if (calls >= CALLS_MIN && accepted < limited) this.#set(perSecond, KNOWN_DOUBLING_MS, nowMs);
      else if (saysWhen && afterPause < this.perSecond(nowMs)) this.#set(afterPause, KNOWN_DOUBLING_MS, nowMs);
    } else if (beganMs >= this.#sinceMs) {
      if (!saysWhen || this.#pauses === 0) this.#pauses++;
      const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** (this.#pauses - 1));
      this.#set(1_000 / pauseMs, UNKNOWN_DOUBLING_MS, nowMs);
    }
  }

  #set(perSecond: number, doublingMs: number, nowMs: number): void {
    this.#perSecond = perSecond;
    this.#doublingMs = doublingMs;
    this.#sinceMs = nowMs;
    this.#nextMs = nowMs + 1_000 / perSecond;
  }
}
