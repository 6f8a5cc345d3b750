/**
 * The timers of one attempt: connect, first token, idle, ending and total. They share one timer of the clock that is
 * armed for the nearest due time; an event only moves a number, and a timer that fires early arms itself again.
 * So a stream of a thousand events costs no timer operation per event.
 */
import type { Clock, Timer } from "../../kernel/clock.ts";
import type { TimeoutsConfig } from "../../config/config.ts";

export type TimerName = "connect" | "first-token" | "idle" | "ending" | "reader" | "drain" | "total";

export class AttemptTimers {
  readonly #clock: Clock;
  readonly #timeouts: TimeoutsConfig;
  readonly #expired: (name: TimerName) => void;
  readonly #totalDueMs: number;
  #phase: TimerName = "connect";
  #phaseDueMs: number;
  #armedDueMs = Infinity;
  #timer: Timer | null = null;

  /** `totalDueMs`: monotonic time of the caller's deadline or the total timeout, whichever is first. */
  constructor(clock: Clock, timeouts: TimeoutsConfig, totalDueMs: number, expired: (name: TimerName) => void) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#expired = expired;
    this.#totalDueMs = totalDueMs;
    this.#phaseDueMs = dueAfter(clock.monotonicMs(), timeouts.connectMs);
    this.#arm();
  }

  /** The request left: from here on the first token is waited for, or (`stream` false) the answer as a whole. */
  sent(stream: boolean): void {
    this.#enter("first-token", stream ? this.#timeouts.firstTokenMs : 0);
  }

  /** An event that is not a comment came; `output` says whether it was what the caller waits for. */
  progress(output: boolean): void {
    if (this.#phase === "ending" || this.#phase === "drain") return;
    if (output || this.#phase === "idle" || this.#phase === "reader") this.#enter("idle", this.#timeouts.idleMs);
  }

  /** The provider finished; only its terminal marker may still come. */
  ending(): void {
    this.#enter("ending", this.#timeouts.endingMs);
  }

  /** The provider is paused because the caller does not read: silence is the caller's now. */
  waitForReader(): void {
    this.#enter("reader", this.#timeouts.idleMs);
  }

  /** The caller left; the stream is read on for at most `limitMs`. */
  drain(limitMs: number): void {
    this.#enter("drain", limitMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#phaseDueMs = Infinity;
    this.#armedDueMs = -Infinity;
  }

  #enter(phase: TimerName, limitMs: number): void {
    this.#phase = phase;
    this.#phaseDueMs = dueAfter(this.#clock.monotonicMs(), limitMs);
    this.#arm();
  }

  #arm(): void {
    const dueMs = Math.min(this.#phaseDueMs, this.#totalDueMs);
    if (dueMs >= this.#armedDueMs) return;
    this.#timer?.cancel();
    this.#armedDueMs = dueMs;
    this.#timer = this.#clock.setTimer(() => this.#fire(), Math.max(0, dueMs - this.#clock.monotonicMs()));
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#armedDueMs = Infinity;
    if (nowMs >= this.#totalDueMs - EARLY_MS) this.#expire("total");
    else if (nowMs >= this.#phaseDueMs - EARLY_MS) this.#expire(this.#phase);
    else this.#arm();
  }

  #expire(name: TimerName): void {
    this.stop();
    this.#expired(name);
  }
}

/** Timers may fire a fraction of a millisecond before their time by the monotonic clock. */
const EARLY_MS = 1;

function dueAfter(nowMs: number, limitMs: number): number {
  return limitMs === 0 ? Infinity : nowMs + limitMs;
}
