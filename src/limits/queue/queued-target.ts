/**
 * One target with a bound on its concurrency: gives slots while there are some, and lets calls wait while there are none.
 *
 *   free ── the last slot is taken, and another call comes ──▶ saturated ── a slot is free, and nobody waits ──▶ free
 *
 * While it is free a call costs one count. While it is saturated a slot that becomes free goes at once to whom the
 * line (waiting-line.ts) names, so that no slot is idle while a call waits.
 *
 * Its bound is the one that is configured, or one that adapts beneath it (adaptive-bound.ts).
 *
 * Invariant: slots given = slots given back + running.
 */
import { assert } from "../../kernel/assert.ts";
import type { Clock } from "../../kernel/clock.ts";
import { AdaptiveBound } from "./adaptive-bound.ts";
import { QueuedPass, type Pass, type PassHost, type PassOutcome, type QueueRequest } from "./pass.ts";
import type { AwaitedTarget } from "./refusals.ts";
import { ServiceRate } from "./service-rate.ts";
import { WaitingLine, type LineOwner, type LineRules } from "./waiting-line.ts";

/** How a target stands. */
export interface TargetStanding {
  /** A provider, or `provider/model`. */
  readonly target: string;
  /** Its present bound. */
  readonly concurrency: number;
  readonly running: number;
  readonly waitingInteractive: number;
  readonly waitingBatch: number;
}

export interface TargetBound {
  /** Most calls at the same time; `Infinity`: no bound is known. */
  readonly concurrency: number;
  /** Whether the bound is found out beneath that. */
  readonly adaptive: boolean;
}

export class QueuedTarget implements PassHost, LineOwner {
  readonly name: string;
  readonly awaited: AwaitedTarget;
  readonly #clock: Clock;
  #concurrency: number;
  #adaptiveBound: AdaptiveBound | null;
  readonly #line: WaitingLine;
  readonly #rate = new ServiceRate();
  #running = 0;
  #saturated = false;

  constructor(name: string, clock: Clock, { concurrency, adaptive }: TargetBound, rules: LineRules) {
    this.name = name;
    this.awaited = { name, state: "is saturated", code: "overloaded" };
    this.#clock = clock;
    this.#adaptiveBound = adaptive ? new AdaptiveBound(concurrency) : null;
    this.#concurrency = this.#adaptiveBound?.bound ?? concurrency;
    this.#line = new WaitingLine(this, clock, rules);
  }

  get standing(): TargetStanding {
    return {
      target: this.name,
      concurrency: this.#concurrency,
      running: this.#running,
      waitingInteractive: this.#line.lengthOf("interactive"),
      waitingBatch: this.#line.lengthOf("batch"),
    };
  }

  get hasRoom(): boolean {
    return this.#running < this.#concurrency;
  }

  /** No call runs, and none waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#line.length === 0;
  }

  /** Throws `overloaded` or `shutting_down` for a call that may not even wait. */
  enter(request: QueueRequest): Pass {
    const nowMs = this.#clock.monotonicMs();
    const pass = new QueuedPass(this, request, nowMs);
    if (this.#running < this.#concurrency) this.#running++;
    else this.#wait(pass, request, nowMs);
    return pass;
  }

  /** More concurrency lets calls go at once, less lets slots lapse. */
  configure({ concurrency, adaptive }: TargetBound, rules: LineRules): void {
    if (!adaptive) this.#adaptiveBound = null;
    else if (this.#adaptiveBound === null) this.#adaptiveBound = new AdaptiveBound(concurrency);
    else this.#adaptiveBound.configure(concurrency);
    this.#concurrency = this.#adaptiveBound?.bound ?? concurrency;
    this.#line.configure(rules);
    this.#giveSlots(this.#clock.monotonicMs());
  }

  /** Refuses all that wait, and from now on all that would have to. */
  drain(): void {
    this.#line.drain(this.#clock.monotonicMs());
  }

  ended(pass: QueuedPass, used: number, outcome: PassOutcome): void {
    assert(this.#running > 0, "queue: more calls left than entered");
    this.#running--;
    if (this.#adaptiveBound !== null) this.#adapt(this.#adaptiveBound, pass, outcome);
    if (!this.#saturated) return;
    const nowMs = this.#clock.monotonicMs();
    this.#rate.served(pass.cost, nowMs);
    this.#line.ended(pass, used);
    this.#giveSlots(nowMs);
  }

  abandoned(pass: QueuedPass): void {
    const nowMs = this.#clock.monotonicMs();
    this.#line.remove(pass, nowMs);
    pass.waitedMs = nowMs - pass.enteredMs;
  }

  expectedMs(pass: QueuedPass, nowMs: number): number | null {
    return this.#rate.waitMs(this.#line.costAhead(pass), nowMs);
  }

  #adapt(adaptiveBound: AdaptiveBound, pass: QueuedPass, outcome: PassOutcome): void {
    const wasFull = this.#running + 1 >= this.#concurrency;
    adaptiveBound.ended(outcome, wasFull, pass.enteredMs + pass.waitedMs, this.#clock.monotonicMs());
    this.#concurrency = adaptiveBound.bound;
  }

  #wait(pass: QueuedPass, request: QueueRequest, nowMs: number): void {
    if (!this.#saturated) {
      this.#saturated = true;
      this.#rate.begin(nowMs);
    }
    this.#line.add(pass, request, nowMs);
  }

  #giveSlots(nowMs: number): void {
    while (this.#running < this.#concurrency && this.#line.length > 0) {
      const pass = this.#line.take(nowMs);
      this.#running++;
      pass.admit(nowMs);
    }
    if (this.#line.length > 0 || this.#running >= this.#concurrency) return;
    this.#saturated = false;
    this.#line.reset();
  }
}
