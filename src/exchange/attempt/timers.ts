/**
 * The timers of one attempt: connect, first token, slow, idle, body, ending and total. They share one timer of the clock
 * that is armed for the nearest due time; an event only moves a number, and a timer that fires early arms itself again.
 * So a stream of a thousand events costs no timer operation per event.
 *
 *   stream   connect ─▶ first-token ── output ──▶ idle ⟲ ── its reason ──▶ ending
 *   whole    connect ─▶ first-token ── first byte ──▶ body ⟲ ── perhaps its last ──▶ closing ── no ──▶ body
 *
 * Of a whole answer nothing is seen while it is made: neither its head nor the blanks that some providers send meanwhile
 * begin it, so until its first byte only `slow` and the total count. From there on it may be silent for as long as a
 * stream between two events; where it may be at its end, that is looked at after as long as an ending. `slow` goes on
 * until it is whole: before that it is of no use to anybody.
 */
import type { Clock, Timer } from "../../kernel/clock.ts";
import type { TimeoutsConfig } from "../../config/config.ts";

/**
 * `beginning`: the caller waits no longer for the first output. `slow` and `closing` end nothing: another target may be
 * worth a call beside this one; an answer that seemed to be at its end has not ended.
 */
export type TimerName =
  | "connect"
  | "first-token"
  | "beginning"
  | "slow"
  | "idle"
  | "body"
  | "closing"
  | "ending"
  | "reader"
  | "drain"
  | "total";

/** Monotonic times; `Infinity` for none. */
export interface AttemptBounds {
  /** The caller's deadline or the total timeout, whichever is first. */
  readonly totalDueMs: number;
  /** How long the caller waits for the first output of a stream. */
  readonly firstOutputDueMs: number;
  /**
   * How long the first output is waited for before that is slow; `Infinity`: it never is. It is told again after twice as
   * long, and so on.
   */
  readonly slowAfterMs: number;
}

export class AttemptTimers {
  readonly #clock: Clock;
  readonly #timeouts: TimeoutsConfig;
  readonly #expired: (name: TimerName) => void;
  readonly #bounds: AttemptBounds;
  #phase: TimerName = "connect";
  #phaseDueMs = Infinity;
  #slowDueMs = Infinity;
  #sentMs = 0;
  #armedDueMs = Infinity;
  #timer: Timer | null = null;

  /** Nothing runs before `start`. `expired` may enter another phase; else only the total timer goes on. */
  constructor(clock: Clock, timeouts: TimeoutsConfig, bounds: AttemptBounds, expired: (name: TimerName) => void) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#bounds = bounds;
    this.#expired = expired;
  }

  /** The dial begins. */
  start(): void {
    this.#enter("connect", this.#timeouts.connectMs, this.#bounds.firstOutputDueMs);
  }

  /** The request left: from here on the first token is waited for, or (`stream` false) the answer as a whole. */
  sent(stream: boolean): void {
    this.#sentMs = this.#clock.monotonicMs();
    this.#slowDueMs = this.#sentMs + this.#bounds.slowAfterMs;
    this.#enter("first-token", stream ? this.#timeouts.firstTokenMs : 0, this.#bounds.firstOutputDueMs);
  }

  /**
   * An event that is not a comment came, or the caller reads again; `output` says whether it was what the caller waits for.
   * What carries nothing (a ping, an empty delta) only keeps the connection open, so a stream of it alone is idle, unless
   * the model `isWorking` at something that it does not show.
   */
  progress(output: boolean, isWorking = false): void {
    if (this.#phase === "ending" || this.#phase === "drain") return;
    if (output) this.#slowDueMs = Infinity;
    if (output || this.#phase === "reader" || (isWorking && this.#phase === "idle"))
      this.#enter("idle", this.#timeouts.idleMs);
  }

  /**
   * Some of a whole answer came, perhaps (`isClosing`) the end of it. Where a stream was asked for, the caller still waits
   * for one to begin.
   */
  body(isClosing: boolean): void {
    const phase = this.#phase;
    if (phase !== "first-token" && phase !== "body" && phase !== "closing") return;
    const { endingMs, idleMs } = this.#timeouts;
    if (isClosing && endingMs > 0) this.#enter("closing", endingMs, this.#bounds.firstOutputDueMs);
    else this.#enter("body", idleMs, this.#bounds.firstOutputDueMs);
  }

  /**
   * The provider finished; only what was used and its terminal marker may still come, with `endingMs` 0 no later than what
   * is there already. A drain ends no later than it would have.
   */
  ending(): void {
    this.#end(this.#timeouts.endingMs);
  }

  /** The provider refused, and its status has said it: a reason that does not end is not waited for for long. */
  refused(): void {
    this.#end(this.#timeouts.endingMs || this.#timeouts.idleMs);
  }

  /** The provider is paused because the caller does not read: silence is the caller's now. */
  waitForReader(): void {
    this.#enter("reader", this.#timeouts.idleMs);
  }

  /** The caller left; the stream is read on for at most `limitMs`, and nobody waits for its beginning. */
  drain(limitMs: number): void {
    this.#slowDueMs = Infinity;
    this.#enter("drain", limitMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#phaseDueMs = Infinity;
    this.#slowDueMs = Infinity;
    this.#armedDueMs = -Infinity;
  }

  #end(withinMs: number): void {
    const dueMs = this.#clock.monotonicMs() + withinMs;
    this.#enter("ending", 0, this.#phase === "drain" ? Math.min(dueMs, this.#phaseDueMs) : dueMs);
  }

  /** `limitMs`: 0 for none. */
  #enter(phase: TimerName, limitMs: number, dueMs = Infinity): void {
    this.#phase = phase;
    this.#phaseDueMs = Math.min(dueMs, dueAfter(this.#clock.monotonicMs(), limitMs));
    this.#arm();
  }

  #arm(): void {
    const dueMs = Math.min(this.#phaseDueMs, this.#slowDueMs, this.#bounds.totalDueMs);
    if (dueMs >= this.#armedDueMs) return;
    this.#timer?.cancel();
    this.#armedDueMs = dueMs;
    this.#timer = this.#clock.setTimer(() => this.#fire(), Math.max(0, dueMs - this.#clock.monotonicMs()));
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#armedDueMs = Infinity;
    if (nowMs >= this.#bounds.totalDueMs - EARLY_MS) {
      this.stop();
      this.#expired("total");
      return;
    }
    if (nowMs >= this.#phaseDueMs - EARLY_MS) {
      this.#phaseDueMs = Infinity;
      this.#expired(this.#isBeginningOver(nowMs) ? "beginning" : this.#phase);
    }
    if (nowMs >= this.#slowDueMs - EARLY_MS) {
      this.#slowDueMs = nowMs + Math.max(this.#bounds.slowAfterMs, nowMs - this.#sentMs);
      this.#expired("slow");
    }
    this.#arm();
  }

  #isBeginningOver(nowMs: number): boolean {
    return beforeOutput.has(this.#phase) && nowMs >= this.#bounds.firstOutputDueMs - EARLY_MS;
  }
}

/** Phases in which a caller who asked for a stream waits for it to begin. */
const beforeOutput: ReadonlySet<TimerName> = new Set<TimerName>(["connect", "first-token", "body", "closing"]);

/** Timers may fire a fraction of a millisecond before their time by the monotonic clock. */
export const EARLY_MS = 1;

function dueAfter(nowMs: number, limitMs: number): number {
  return limitMs === 0 ? Infinity : nowMs + limitMs;
}
