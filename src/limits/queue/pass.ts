/**
 * What a call needs to leave for a target with a bound on its concurrency: its turn while it waits, its slot while it runs.
 *
 *   waiting ── its turn ──▶ running ── leave ──▶ over
 *      └── cancel, due, drain: `ready` rejects ──▲
 *
 * Invariant: a slot that was given is given back once. The queue of the target decides (queued-target.ts); here is only
 * what one call must know of itself, the links by which the queue holds it included.
 */
import { assert } from "../../kernel/assert.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Flow } from "./flow.ts";
import type { Priority } from "./priority.ts";

export interface QueueRequest {
  readonly tenantId: string;
  /** Of the tenant, above zero: its share relative to the others'. */
  readonly weight: number;
  readonly priority: Priority;
  /** The service that the call is expected to take, in tokens (or any other unit, the same for all). Counts as 1 at least. */
  readonly cost: number;
  /** How long it may wait for its turn, milliseconds; `waitedMs` of that are gone. */
  readonly waitMs: number;
  /** How long its request has waited for this target before, in whichever line. Default: 0. */
  readonly waitedMs?: number;
  /** When the request must be over, monotonic milliseconds; `Infinity` for none. */
  readonly dueMs: number;
}

/** What became of a call, as far as it tells whether its target has too many. `neutral`: it tells nothing. */
export type PassOutcome =
  | {
      readonly kind: "answered";
      /** From its beginning; `null`: a whole answer. */
      readonly firstOutputMs: number | null;
      readonly totalMs: number;
    }
  | { readonly kind: "failed" }
  /** The provider asks for less: a 429. */
  | { readonly kind: "limited" }
  | { readonly kind: "neutral" };

export interface Pass {
  /**
   * `null`: the call may leave now. Else resolves when it may, and rejects with `overloaded`, `deadline_exceeded`,
   * `shutting_down`, or with what `cancel` was given; then the call must not be made.
   */
  readonly ready: Promise<void> | null;
  /** How long it waited for its turn, milliseconds. */
  readonly waitedMs: number;
  /** Leaves the queue at once, and rejects `ready` with this failure. Changes nothing if the call is no longer waiting. */
  cancel(failure: HeadgateError): void;
  /**
   * The call is over, its slot is free. `used`: what it really took, in the unit of `cost`; its tenant is charged that
   * instead of the estimate; what cannot be a cost is not. `outcome`: for targets whose bound adapts; absent: neutral.
   * Changes nothing if `ready` rejected, or the second time.
   */
  leave(used?: number, outcome?: PassOutcome): void;
}

/** The queue of the target, as its passes see it. */
export interface PassHost {
  ended(pass: QueuedPass, used: number, outcome: PassOutcome): void;
  abandoned(pass: QueuedPass): void;
}

const neutral: PassOutcome = { kind: "neutral" };

export class QueuedPass implements Pass {
  readonly tenantId: string;
  readonly weight: number;
  readonly priority: Priority;
  readonly cost: number;
  readonly enteredMs: number;
  /** What its request had waited for the target before. */
  readonly waitedBeforeMs: number;
  waitedMs = 0;
  /** When it is refused if it still waits, monotonic milliseconds; and whether that is the caller's own deadline. */
  dueMs: number = Infinity;
  dueIsCallers = false;
  /** Of the heap of due times. */
  heapPlace: number = -1;
  /** Who is charged, from the moment it waits; `null` for a call that found room. */
  flow: Flow | null = null;
  /** Its neighbours in the line of its tenant. */
  previous: QueuedPass | null = null;
  next: QueuedPass | null = null;
  readonly #host: PassHost;
  #state: "waiting" | "running" | "over" = "running";
  #turn: PromiseWithResolvers<void> | null = null;

  constructor(host: PassHost, request: QueueRequest, nowMs: number) {
    const { cost, weight } = request;
    assert(cost >= 0 && cost < Infinity && weight > 0, "queue: a call without a cost or a weight that can be charged");
    this.#host = host;
    this.tenantId = request.tenantId;
    this.weight = weight;
    this.priority = request.priority;
    this.cost = Math.max(1, cost);
    this.enteredMs = nowMs;
    this.waitedBeforeMs = request.waitedMs ?? 0;
  }

  get ready(): Promise<void> | null {
    return this.#turn?.promise ?? null;
  }

  /** For the queue: from now on it waits. */
  wait(dueMs: number, dueIsCallers: boolean): void {
    this.#state = "waiting";
    this.#turn = Promise.withResolvers();
    this.dueMs = dueMs;
    this.dueIsCallers = dueIsCallers;
  }

  /** For the queue: its turn has come. */
  admit(nowMs: number): void {
    this.#endWait(nowMs, "running");
    this.#turn?.resolve();
  }

  /** For the queue: its turn will not come. */
  refuse(failure: HeadgateError, nowMs: number): void {
    this.#endWait(nowMs, "over");
    this.#turn?.reject(failure);
  }

  cancel(failure: HeadgateError): void {
    if (this.#state !== "waiting") return;
    this.#host.abandoned(this);
    this.#state = "over";
    this.#turn?.reject(failure);
  }

  leave(used: number = this.cost, outcome: PassOutcome = neutral): void {
    assert(this.#state !== "waiting", "queue: a call left before its turn had come");
    if (this.#state === "over") return;
    this.#state = "over";
    this.#host.ended(this, used >= 0 ? used : this.cost, outcome);
  }

  #endWait(nowMs: number, state: "running" | "over"): void {
    assert(this.#state === "waiting", "queue: a turn came twice");
    this.#state = state;
    this.waitedMs = nowMs - this.enteredMs;
  }
}
