/**
 * The calls that wait in front of one target: who of them is next (priority-order.ts), and until when each may wait. Who
 * cannot be served in time, by the pace of late, is refused when it comes. One timer serves all: for whichever is due first.
 *
 * When a call leaves is the target's affair: when a slot is free (queued-target.ts), or when it is time (slowed-target.ts).
 *
 * Invariant: a call is in the order if and only if it is among those due.
 */
import type { QueueConfig } from "../../config/config.ts";
import type { Clock, Timer } from "../../kernel/clock.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import { IndexedHeap } from "./indexed-heap.ts";
import type { QueuedPass, QueueRequest } from "./pass.ts";
import type { Priority } from "./priority.ts";
import { PriorityOrder } from "./priority-order.ts";
import { deadlinePassed, lineFull, queueDraining, waitedOut, waitTooLong, type AwaitedTarget } from "./refusals.ts";

/** What a line asks its target. */
export interface LineOwner {
  readonly awaited: AwaitedTarget;
  /** How long this call would wait if it came now; `null` if nobody knows. */
  expectedMs(pass: QueuedPass, nowMs: number): number | null;
}

export type LineRules = Pick<QueueConfig, "lengthMax" | "batchPercent">;

export class WaitingLine {
  readonly #owner: LineOwner;
  readonly #clock: Clock;
  readonly #order = new PriorityOrder();
  readonly #due = new IndexedHeap<QueuedPass>(isDueBefore);
  #lengthMax = 0;
  #draining = false;
  #timer: Timer | null = null;
  #timerDueMs = Infinity;

  constructor(owner: LineOwner, clock: Clock, rules: LineRules) {
    this.#owner = owner;
    this.#clock = clock;
    this.configure(rules);
  }

  get length(): number {
    return this.#order.length;
  }

  lengthOf(priority: Priority): number {
    return this.#order.of(priority).length;
  }

  /** Calls that wait keep the rules under which they came. */
  configure({ lengthMax, batchPercent }: LineRules): void {
    this.#lengthMax = lengthMax;
    this.#order.batchShare = batchPercent / 100;
  }

  /** The call waits from now on. Throws what refuses one that may not. */
  add(pass: QueuedPass, request: QueueRequest, nowMs: number): void {
    const { awaited } = this.#owner;
    if (this.#draining) throw queueDraining(awaited);
    const { priority, tenantId } = pass;
    const expectedMs = this.#owner.expectedMs(pass, nowMs);
    if (this.#order.of(priority).lengthOf(tenantId) >= this.#lengthMax) {
      throw lineFull(awaited, this.#lengthMax, priority, expectedMs);
    }
    const leftMs = request.waitMs - pass.waitedBeforeMs;
    const callersMs = request.dueMs - nowMs;
    const allowedMs = Math.min(leftMs, callersMs);
    if (allowedMs <= 0 || (expectedMs !== null && expectedMs > allowedMs)) {
      const bound = callersMs < leftMs ? "its deadline" : restOfBound(pass);
      throw waitTooLong(awaited, expectedMs, Math.max(0, allowedMs), bound);
    }
    pass.wait(nowMs + allowedMs, callersMs < leftMs);
    this.#order.add(pass);
    this.#due.add(pass);
    this.#setTimer(nowMs);
  }

  /** The next one, which waits no longer: its tenant is charged. */
  take(nowMs: number): QueuedPass {
    const pass = this.#order.take();
    this.#due.remove(pass);
    if (this.#order.length === 0) this.#setTimer(nowMs);
    return pass;
  }

  /** It waits no longer, and was not served. */
  remove(pass: QueuedPass, nowMs: number): void {
    this.#dismiss(pass);
    this.#setTimer(nowMs);
  }

  /** A call that was taken, or that never waited, is over. */
  ended(pass: QueuedPass, used: number): void {
    this.#order.ended(pass, used);
  }

  /** What is served before this call, if nobody else comes. */
  costAhead({ priority, tenantId, weight, cost }: QueuedPass): number {
    return this.#order.costAhead(priority, tenantId, weight, cost);
  }

  /** Nobody waits, and nobody owes anything to anybody any more. */
  reset(): void {
    this.#order.reset();
  }

  /** Refuses all that wait, and from now on all that would have to. */
  drain(nowMs: number): void {
    this.#draining = true;
    for (let pass = this.#due.first; pass !== null; pass = this.#due.first) {
      this.#dismiss(pass);
      pass.refuse(queueDraining(this.#owner.awaited), nowMs);
    }
    this.#setTimer(nowMs);
  }

  #dismiss(pass: QueuedPass): void {
    this.#order.remove(pass);
    this.#due.remove(pass);
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
    const { awaited } = this.#owner;
    if (pass.dueIsCallers) return deadlinePassed(awaited);
    const expectedMs = this.#owner.expectedMs(pass, nowMs);
    const waitedMs = pass.waitedBeforeMs + nowMs - pass.enteredMs;
    return waitedOut(awaited, waitedMs, waitBound(pass.priority), expectedMs);
  }
}

function isDueBefore(one: QueuedPass, other: QueuedPass): boolean {
  return one.dueMs < other.dueMs;
}

/** What bounds the wait of one that comes now. */
function restOfBound({ priority, waitedBeforeMs }: QueuedPass): string {
  return waitedBeforeMs > 0 ? `what is left of ${waitBound(priority)}` : waitBound(priority);
}

function waitBound(priority: Priority): string {
  return priority === "batch" ? "queue.batchWaitMs" : "queue.waitMs";
}
