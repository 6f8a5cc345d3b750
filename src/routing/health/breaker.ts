/**
 * The circuit breaker of one target: whether it is called as usual, left alone, or probed.
 *
 *   closed ── too many failures, or the provider asks for long ──▶ open ── its time is over ──▶ half-open
 *      ▲                                                             ▲ a probe fails: twice as long │
 *      └───────────────── three probes answer ───────────────────────┼──────────────────────────────┘
 *
 * Half-open, `probes` calls are let through at a time, twice as many with each that answers, and all after the third.
 * A probe has answered when its output begins, and may still fail. One that has said nothing for `openMaxMs` is lost:
 * another is let through. How long it was open is remembered until it has been closed for `openMaxMs`, so that a target
 * that fails again at once is left alone for longer.
 *
 * Invariants: while it is open nothing passes. Each opening and closing begins a new generation; a call of an earlier one
 * opens and closes nothing, except that what the provider asks for when it ends is heeded. Never open for longer than
 * `openMaxMs` at a time.
 */
import type { HealthConfig } from "../../config/config.ts";
import type { BreakerState, LeftAlone, LeftAloneFor } from "./health.ts";
import { SlidingShare } from "./sliding-share.ts";

const WINDOW_BUCKETS = 10;
/** With fewer calls in the window a share says nothing. */
const CALLS_MIN = 20;
const ANSWERS_TO_CLOSE = 3;
/** Part of a time that is drawn, so that many processes do not probe at the same moment. */
const OPEN_JITTER = 0.25;
const ASKED_JITTER = 0.1;

/** What a call must know for the breaker. */
export interface BreakerCall {
  /** Of the breaker when it began. */
  readonly generation: number;
  /** It is a probe that has not answered. */
  isProbing: boolean;
}

export class Breaker {
  readonly #random: () => number;
  #rules: HealthConfig;
  #window: SlidingShare;
  #generation = 0;
  /** It is open or half-open: after `#untilMs` it is probed. While it is closed `#untilMs` is a pause. */
  #isTripped = false;
  #untilMs = -Infinity;
  /** What for. */
  #reason: LeftAloneFor = "failures";
  #failuresInRow = 0;
  /** Of the last opening for failures, before the jitter; 0: none that counts. */
  #openMs = 0;
  #closedAtMs = -Infinity;
  #probing = 0;
  #probedAtMs = -Infinity;
  #answers = 0;

  /** `random`: uniform in [0, 1). */
  constructor(rules: HealthConfig, random: () => number) {
    this.#rules = rules;
    this.#random = random;
    this.#window = createWindow(rules);
  }

  get generation(): number {
    return this.#generation;
  }

  /** Calls that begin now are probes. */
  get isTripped(): boolean {
    return this.#isTripped;
  }

  configure(rules: HealthConfig): void {
    if (rules.windowMs !== this.#rules.windowMs) this.#window = createWindow(rules);
    this.#rules = rules;
  }

  state(nowMs: number): BreakerState {
    if (!this.#isTripped) return "closed";
    return nowMs < this.#untilMs ? "open" : "half-open";
  }

  calls(nowMs: number): number {
    return this.#window.all(nowMs);
  }

  failures(nowMs: number): number {
    return this.#window.some(nowMs);
  }

  availableAtMs(nowMs: number): number {
    if (nowMs < this.#untilMs) return this.#untilMs;
    if (!this.#isTripped || this.#probing < this.#rules.probes * 2 ** this.#answers) return nowMs;
    return Math.max(nowMs, this.#probedAtMs + this.#rules.openMaxMs);
  }

  /** `null`: a call would be let through. */
  leftAlone(nowMs: number): LeftAlone | null {
    if (this.availableAtMs(nowMs) <= nowMs) return null;
    return { reason: this.#reason, untilMs: this.#untilMs, isProbed: this.#isTripped };
  }

  /** A call that was let through begins. */
  began(nowMs: number): void {
    if (!this.#isTripped) return;
    this.#probing++;
    this.#probedAtMs = nowMs;
  }

  /** Its output begins. */
  outputBegan(call: BreakerCall, nowMs: number): void {
    if (this.#release(call)) this.#probeAnswered(nowMs);
  }

  answered(call: BreakerCall, nowMs: number): void {
    if (this.#release(call)) this.#probeAnswered(nowMs);
    else if (call.generation === this.#generation && !this.#isTripped) {
      this.#failuresInRow = 0;
      this.#window.add(1, 0, nowMs);
    }
  }

  failed(call: BreakerCall, retryAfterMs: number | null, nowMs: number): void {
    this.#release(call);
    if (call.generation === this.#generation) this.#failedNow(nowMs);
    if (retryAfterMs !== null) this.#asked(retryAfterMs, "failures", nowMs);
  }

  /** A 429 that does not say when is no reason to leave it alone: others may fit, at a slower pace. */
  limited(call: BreakerCall, retryAfterMs: number | null, nowMs: number): void {
    this.#release(call);
    if (retryAfterMs !== null) this.#asked(retryAfterMs, "rate-limit", nowMs);
  }

  /** It ended and says nothing. */
  dropped(call: BreakerCall): void {
    this.#release(call);
  }

  /** Whether it was a probe that still counts. */
  #release(call: BreakerCall): boolean {
    const counts = call.isProbing && call.generation === this.#generation;
    call.isProbing = false;
    if (counts) this.#probing--;
    return counts;
  }

  #probeAnswered(nowMs: number): void {
    if (++this.#answers < ANSWERS_TO_CLOSE) return;
    this.#isTripped = false;
    this.#closedAtMs = nowMs;
    this.#beginGeneration();
  }

  #failedNow(nowMs: number): void {
    if (!this.#isTripped) {
      this.#failuresInRow++;
      this.#window.add(1, 1, nowMs);
      if (!this.#hasTooMany(nowMs)) return;
    }
    this.#trip(nowMs);
    const { openMs, openMaxMs } = this.#rules;
    this.#openMs = Math.min(openMaxMs, this.#openMs === 0 ? openMs : this.#openMs * 2);
    this.#untilMs = Math.max(this.#untilMs, nowMs + this.#openMs * (1 - OPEN_JITTER * this.#random()));
    this.#reason = "failures";
  }

  #hasTooMany(nowMs: number): boolean {
    const { failuresInRow, failurePercent } = this.#rules;
    if (failuresInRow > 0 && this.#failuresInRow >= failuresInRow) return true;
    const calls = this.#window.all(nowMs);
    return failurePercent > 0 && calls >= CALLS_MIN && this.#window.some(nowMs) * 100 >= failurePercent * calls;
  }

  /** A short time is only waited for; after a longer one it is probed, and after the longest in any case. */
  #asked(retryAfterMs: number, reason: LeftAloneFor, nowMs: number): void {
    const { openMs, openMaxMs } = this.#rules;
    const askedMs = Math.min(openMaxMs, Math.max(0, retryAfterMs) * (1 + ASKED_JITTER * this.#random()));
    if (askedMs >= openMs && !this.#isTripped) this.#trip(nowMs);
    if (nowMs + askedMs <= this.#untilMs) return;
    this.#untilMs = nowMs + askedMs;
    this.#reason = reason;
  }

  #trip(nowMs: number): void {
    if (!this.#isTripped && nowMs - this.#closedAtMs >= this.#rules.openMaxMs) this.#openMs = 0;
    this.#isTripped = true;
    this.#beginGeneration();
  }

  #beginGeneration(): void {
    this.#generation++;
    this.#probing = 0;
    this.#answers = 0;
    this.#failuresInRow = 0;
    this.#window.reset();
  }
}

function createWindow({ windowMs }: HealthConfig): SlidingShare {
  return new SlidingShare(windowMs / WINDOW_BUCKETS, WINDOW_BUCKETS);
}
