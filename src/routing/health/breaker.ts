/**
 * The circuit breaker of one target: whether it is called as usual, left alone, or probed.
 *
 *   closed ── too many failures, or the provider asks for long ──▶ open ── its time is over ──▶ half-open
 *      ▲                                                             ▲ no probe answers, or too many fail │
 *      └───────────────── three probes answer ───────────────────────┼───────────────────────────────────┘
 *
 * Half-open, `probes` calls are let through at a time, twice as many with each that answers, and all after the third.
 * A probe has answered when its output begins, and may still fail. One that has said nothing for `openMaxMs` is lost:
 * another is let through. It is open for twice as long each time, as long as nothing at all answers in between.
 *
 * A target that fails often still answers: what nobody else can answer (`lastResortAtMs`) passes an open breaker, unless
 * the target is down, which is to say that so many failures in a row are no coincidence; or a 429 has said when to come
 * back. It has been down until the breaker is closed.
 *
 * Invariants: while it is open nothing else passes, and nothing at all while the target is down. Each opening and closing
 * begins a new generation; a call of an earlier one opens and closes nothing, except that what the provider asks for when
 * it ends is heeded. Never open for longer than `openMaxMs` at a time.
 */
import type { HealthConfig } from "../../config/config.ts";
import type { BreakerState, LeftAlone, LeftAloneFor } from "./health.ts";
import { FailureRun } from "./failure-run.ts";
import { SlidingShare } from "./sliding-share.ts";

const WINDOW_BUCKETS = 10;
/** With fewer calls in the window a share says nothing. */
const CALLS_MIN = 20;
const ANSWERS_TO_CLOSE = 3;
/** Failures of probes and of what is called as a last resort, where `failuresInRow` is off. */
const IN_ROW_MAX = 5;
/** Of `openMs`: for so long calls that are silent may yet be answered, though all others fail. */
const SILENT_SHARE = 2;
/** Of `openMs`: after so long it is found out again whether it is still down, by who has nobody else. */
const DOWN_SHARE = 1 / 16;
/** Part of a time that is drawn, so that many processes do not probe at the same moment. */
const OPEN_JITTER = 0.25;
const ASKED_JITTER = 0.1;

/** What a call must know for the breaker. */
export interface BreakerCall {
  /** Of the breaker when it began. */
  readonly generation: number;
  /** `asked`: it is a probe that has not answered. `answered`: one whose output has begun. `no`: it is none. */
  probe: "no" | "asked" | "answered";
  /** There was no output of it. */
  isSilent: boolean;
}

export class Breaker {
  readonly #random: () => number;
  readonly #run = new FailureRun();
  #rules: HealthConfig;
  #window: SlidingShare;
  #generation = 0;
  /** It is open or half-open: after `#untilMs` it is probed. While it is closed `#untilMs` is a pause. */
  #isTripped = false;
  #untilMs = -Infinity;
  /** What for. */
  #reason: LeftAloneFor = "failures";
  /** Until then a 429 has asked to be left alone. */
  #limitedUntilMs = -Infinity;
  /** Nothing passes as a last resort but a probe after `#downUntilMs`. */
  #isDown = false;
  #downUntilMs = -Infinity;
  /** Of the last opening for failures, before the jitter, and how long nobody at all was let through; 0: it has answered since. */
  #openMs = 0;
  #downMs = 0;
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
    return this.#freeAtMs(this.#untilMs, nowMs);
  }

  /** The same for a call that no other target can answer: never later. */
  lastResortAtMs(nowMs: number): number {
    if (!this.#isDown) return Math.max(nowMs, this.#limitedUntilMs);
    return Math.min(this.availableAtMs(nowMs), this.#freeAtMs(this.#downUntilMs, nowMs));
  }

  /** `null`: a call would be let through. */
  leftAlone(nowMs: number): LeftAlone | null {
    if (this.availableAtMs(nowMs) <= nowMs) return null;
    return { reason: this.#reason, untilMs: this.#untilMs, isProbed: this.#isTripped };
  }

  /** A call that was let through begins: as a probe, where there is a place for one. */
  began(nowMs: number): BreakerCall["probe"] {
    this.#run.began();
    if (!this.#isTripped) return "no";
    if (!this.#isDown && this.availableAtMs(nowMs) > nowMs) return "no";
    this.#probing++;
    this.#probedAtMs = nowMs;
    return "asked";
  }

  /** Its output begins. */
  outputBegan(call: BreakerCall, nowMs: number): void {
    this.#hear(call);
    if (this.#release(call)) this.#probeAnswered(call, nowMs);
  }

  answered(call: BreakerCall, nowMs: number): void {
    this.#hear(call);
    const isOfNow = call.generation === this.#generation;
    // What was accepted before it opened is worth something, but not as much as calls of after it was closed again.
    if (isOfNow || this.#isTripped) this.#run.answered();
    if (!isOfNow) return;
    this.#openMs = 0;
    this.#downMs = 0;
    this.#window.add(1, 0, nowMs);
    if (this.#release(call)) this.#probeAnswered(call, nowMs);
  }

  failed(call: BreakerCall, retryAfterMs: number | null, nowMs: number): void {
    const { probe } = call;
    this.dropped(call);
    if (call.generation === this.#generation) this.#failedNow(probe, nowMs);
    if (retryAfterMs !== null) this.#asked(retryAfterMs, "failures", nowMs);
  }

  /** A 429 that does not say when is no reason to leave it alone: others may fit, at a slower pace. */
  limited(call: BreakerCall, retryAfterMs: number | null, nowMs: number): void {
    this.dropped(call);
    if (retryAfterMs !== null) this.#asked(retryAfterMs, "rate-limit", nowMs);
  }

  /** It ended and says nothing. */
  dropped(call: BreakerCall): void {
    this.#hear(call);
    this.#release(call);
  }

  /** When there is a place for a call, if those are given from then on. */
  #freeAtMs(fromMs: number, nowMs: number): number {
    if (nowMs < fromMs) return fromMs;
    if (!this.#isTripped || this.#probing < this.#rules.probes * 2 ** this.#answers) return nowMs;
    return Math.max(nowMs, this.#probedAtMs + this.#rules.openMaxMs);
  }

  #hear(call: BreakerCall): void {
    if (call.isSilent) this.#run.heard();
    call.isSilent = false;
  }

  /** Whether it was a probe that still counts. */
  #release(call: BreakerCall): boolean {
    if (call.probe !== "asked" || call.generation !== this.#generation) return false;
    call.probe = "no";
    this.#probing--;
    return true;
  }

  #probeAnswered(call: BreakerCall, nowMs: number): void {
    call.probe = "answered";
    // One that was let through as a last resort, before its time, has found out for all.
    this.#untilMs = Math.min(this.#untilMs, Math.max(nowMs, this.#limitedUntilMs));
    if (++this.#answers < ANSWERS_TO_CLOSE) return;
    this.#isTripped = false;
    this.#isDown = false;
    this.#run.answered();
    this.#beginGeneration();
  }

  #failedNow(probe: BreakerCall["probe"], nowMs: number): void {
    this.#run.failed(nowMs);
    this.#window.add(1, 1, nowMs);
    const { failuresInRow, openMs } = this.#rules;
    const inRowMax = failuresInRow === 0 ? IN_ROW_MAX : failuresInRow;
    const isDown = this.#run.isTelling(inRowMax, SILENT_SHARE * openMs, nowMs);
    if (probe === "answered") this.#answers--;
    if (!this.#isTripped) {
      if (!this.#hasTooMany(nowMs)) return;
    } else if (probe === "no") {
      // It was called as a last resort.
      if (this.#isDown || !isDown) return;
    } else if (this.#answers > 0 && this.#run.length < inRowMax) {
      return;
    }
    this.#isDown = isDown;
    this.#open(nowMs);
  }

  #hasTooMany(nowMs: number): boolean {
    const { failuresInRow, failurePercent } = this.#rules;
    if (failuresInRow > 0 && this.#run.length >= failuresInRow) return true;
    const calls = this.#window.all(nowMs);
    return failurePercent > 0 && calls >= CALLS_MIN && this.#window.some(nowMs) * 100 >= failurePercent * calls;
  }

  /** For failures. Where it is open already, it is no longer for that, but nobody passes for a while. */
  #open(nowMs: number): void {
    const { openMs, openMaxMs } = this.#rules;
    const jitter = 1 - OPEN_JITTER * this.#random();
    this.#isTripped = true;
    this.#beginGeneration();
    this.#downMs = Math.min(openMs, this.#downMs === 0 ? openMs * DOWN_SHARE : this.#downMs * 2);
    this.#downUntilMs = Math.max(this.#limitedUntilMs, nowMs + this.#downMs * jitter);
    if (nowMs < this.#untilMs) return;
    this.#openMs = Math.min(openMaxMs, this.#openMs === 0 ? openMs : this.#openMs * 2);
    this.#untilMs = nowMs + this.#openMs * jitter;
    this.#reason = "failures";
  }

  /** A short time is only waited for; after a longer one it is probed, and after the longest in any case. */
  #asked(retryAfterMs: number, reason: LeftAloneFor, nowMs: number): void {
    const { openMs, openMaxMs } = this.#rules;
    const askedMs = Math.min(openMaxMs, Math.max(0, retryAfterMs) * (1 + ASKED_JITTER * this.#random()));
    const untilMs = nowMs + askedMs;
    const isLong = askedMs >= openMs;
    if (isLong && !this.#isTripped) {
      this.#isTripped = true;
      this.#beginGeneration();
    }
    if (reason === "rate-limit") {
      this.#limitedUntilMs = Math.max(this.#limitedUntilMs, untilMs);
      this.#isDown ||= isLong;
    }
    if (this.#isDown) this.#downUntilMs = Math.max(this.#downUntilMs, untilMs);
    if (untilMs <= this.#untilMs) return;
    this.#untilMs = untilMs;
    this.#reason = reason;
  }

  #beginGeneration(): void {
    this.#generation++;
    this.#probing = 0;
    this.#answers = 0;
    this.#window.reset();
  }
}

function createWindow({ windowMs }: HealthConfig): SlidingShare {
  return new SlidingShare(windowMs / WINDOW_BUCKETS, WINDOW_BUCKETS);
}
