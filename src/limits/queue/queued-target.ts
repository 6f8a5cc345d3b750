/**
 * One target with a bound on its concurrency: gives slots while there are some, and lets calls wait while there are none.
 *
 *   free ── the last slot is taken, and another call comes ──▶ saturated ── a slot is free, and nobody waits ──▶ free
 *
 * While it is free a call costs one count. While it is saturated a slot that becomes free goes at once to whom the
 * order (priority-order.ts) names, so that no slot is idle while a call waits. Who cannot be served in time, by the pace
 * of late, is refused when it comes. One timer serves all that wait: for whichever is due first.
 *
 * Its bound is the one that is configured, or one that adapts beneath it (adaptive-bound.ts).
 *
 * Invariants: slots given = slots given back + running; a call is in the order if and only if it is among those due.
 */
import type { QueueConfig } from "../../config/config.ts";
import { assert } from "../../kernel/assert.ts";
import type { Clock, Timer } from "../../kernel/clock.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import { AdaptiveBound } from "./adaptive-bound.ts";
import { IndexedHeap } from "./indexed-heap.ts";
import { QueuedPass, type Pass, type PassHost, type PassOutcome, type QueueRequest } from "./pass.ts";
import { PriorityOrder } from "./priority-order.ts";
import { deadlinePassed, lineFull, queueDraining, waitedOut, waitTooLong } from "./refusals.ts";
import { ServiceRate } from "./service-rate.ts";

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

export class QueuedTarget implements PassHost {
  readonly name: string;
  readonly #clock: Clock;
  #rules: QueueConfig;
  #concurrency: number;
  #adaptiveBound: AdaptiveBound | null;
  readonly #order = new PriorityOrder();
  readonly #due = new IndexedHeap<QueuedPass>(isDueBefore);
  readonly #rate = new ServiceRate();
  #running = 0;
  #saturated = false;
  #draining = false;
  #timer: Timer | null = null;
  #timerDueMs = Infinity;

  constructor(name: string, clock: Clock, { concurrency, adaptive }: TargetBound, rules: QueueConfig) {
    this.name = name;
    this.#clock = clock;
    this.#adaptiveBound = adaptive ? new AdaptiveBound(concurrency) : null;
    this.#concurrency = this.#adaptiveBound?.bound ?? concurrency;
    this.#rules = rules;
    this.#order.batchShare = rules.batchPercent / 100;
  }

  get standing(): TargetStanding {
    return {
      target: this.name,
      concurrency: this.#concurrency,
      running: this.#running,
      waitingInteractive: this.#order.of("interactive").length,
      waitingBatch: this.#order.of("batch").length,
    };
  }

  get hasRoom(): boolean {
    return this.#running < this.#concurrency;
  }

  /** No call runs, and none waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#order.length === 0;
  }

  /** Throws `overloaded` or `shutting_down` for a call that may not even wait. */
  enter(request: QueueRequest): Pass {
    const nowMs = this.#clock.monotonicMs();
    const pass = new QueuedPass(this, request, nowMs);
    if (this.#running < this.#concurrency) this.#running++;
    else this.#wait(pass, request, nowMs);
    return pass;
  }

  /** Calls that wait keep the rules under which they came. More concurrency lets calls go at once, less lets slots lapse. */
  configure({ concurrency, adaptive }: TargetBound, rules: QueueConfig): void {
    if (!adaptive) this.#adaptiveBound = null;
    else if (this.#adaptiveBound === null) this.#adaptiveBound = new AdaptiveBound(concurrency);
    else this.#adaptiveBound.configure(concurrency);
    this.#concurrency = this.#adaptiveBound?.bound ?? concurrency;
    this.#rules = rules;
    this.#order.batchShare = rules.batchPercent / 100;
    this.#giveSlots(this.#clock.monotonicMs());
  }

  /** Refuses all that wait, and from now on all that would have to. */
  drain(): void {
    this.#draining = true;
    const nowMs = this.#clock.monotonicMs();
    for (let pass = this.#due.first; pass !== null; pass = this.#due.first) {
      this.#dismiss(pass);
      pass.refuse(queueDraining(this.name), nowMs);
    }
    this.#setTimer(nowMs);
  }

  ended(pass: QueuedPass, used: number, outcome: PassOutcome): void {
    assert(this.#running > 0, "queue: more calls left than entered");
    this.#running--;
    if (this.#adaptiveBound !== null) this.#adapt(this.#adaptiveBound, pass, outcome);
    if (!this.#saturated) return;
    const nowMs = this.#clock.monotonicMs();
    this.#rate.served(pass.cost, nowMs);
    this.#order.ended(pass, used);
    this.#giveSlots(nowMs);
  }

  abandoned(pass: QueuedPass): void {
    this.#dismiss(pass);
    const nowMs = this.#clock.monotonicMs();
    pass.waitedMs = nowMs - pass.enteredMs;
    this.#setTimer(nowMs);
  }

  #adapt(adaptiveBound: AdaptiveBound, pass: QueuedPass, outcome: PassOutcome): void {
    const wasFull = this.#running + 1 >= this.#concurrency;
    adaptiveBound.ended(outcome, wasFull, pass.enteredMs + pass.waitedMs, this.#clock.monotonicMs());
    this.#concurrency = adaptiveBound.bound;
  }

  #wait(pass: QueuedPass, request: QueueRequest, nowMs: number): void {
    if (this.#draining) throw queueDraining(this.name);
    if (!this.#saturated) {
      this.#saturated = true;
      this.#rate.begin(nowMs);
    }
    const { lengthMax } = this.#rules;
    const { priority, tenantId } = pass;
    const expectedMs = this.#expectedMs(pass, nowMs);
    if (this.#order.of(priority).lengthOf(tenantId) >= lengthMax) {
      throw lineFull(this.name, lengthMax, priority, expectedMs);
    }
    const { waitMs } = request;
    const callersMs = request.dueMs - nowMs;
    const allowedMs = Math.min(waitMs, callersMs);
    if (allowedMs <= 0 || (expectedMs !== null && expectedMs > allowedMs)) {
      const bound = callersMs < waitMs ? "its deadline" : waitBound(priority);
      throw waitTooLong(this.name, expectedMs, Math.max(0, allowedMs), bound);
    }
    pass.wait(nowMs + allowedMs, callersMs < waitMs);
    this.#order.add(pass);
    this.#due.add(pass);
    this.#setTimer(nowMs);
  }

  #giveSlots(nowMs: number): void {
    while (this.#running < this.#concurrency && this.#order.length > 0) {
      const pass = this.#order.take();
      this.#due.remove(pass);
      this.#running++;
      pass.admit(nowMs);
    }
    if (this.#order.length > 0) return;
    this.#setTimer(nowMs);
    if (this.#running >= this.#concurrency) return;
    this.#saturated = false;
    this.#order.reset();
  }

  #dismiss(pass: QueuedPass): void {
    this.#order.remove(pass);
    this.#due.remove(pass);
  }

  #expectedMs(pass: QueuedPass, nowMs: number): number | null {
    const { priority, tenantId, weight, cost } = pass;
    return this.#rate.waitMs(this.#order.costAhead(priority, tenantId, weight, cost), nowMs);
  }

  /** An earlier alarm than needed is left as it is: it finds nothing due and is set anew. */
  #setTimer(nowMs: number): void {
    const dueMs = this.#due.first?.dueMs ?? Infinity;
    if (this.#timer !== null && dueMs < Infinity && this.#timerDueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = dueMs < Infinity ? this.#clock.setTimer(this.#refuseDue, dueMs - nowMs) : null;
  }

  readonly #refuseDue = (): void => {
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    for (let pass = this.#due.first; pass !== null && pass.dueMs <= nowMs; pass = this.#due.first) {
      this.#dismiss(pass);
      pass.refuse(this.#refusalOfDue(pass, nowMs), nowMs);
    }
    this.#setTimer(nowMs);
  };

  #refusalOfDue(pass: QueuedPass, nowMs: number): HeadgateError {
    if (pass.dueIsCallers) return deadlinePassed(this.name);
    return waitedOut(this.name, nowMs - pass.enteredMs, waitBound(pass.priority), this.#expectedMs(pass, nowMs));
  }
}

function isDueBefore(one: QueuedPass, other: QueuedPass): boolean {
  return one.dueMs < other.dueMs;
}

function waitBound(priority: QueuedPass["priority"]): string {
  return priority === "batch" ? "queue.batchWaitMs" : "queue.waitMs";
}
