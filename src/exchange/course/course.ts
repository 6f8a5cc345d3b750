/**
 * The part of an exchange that costs money: from its plan, call after call, to an answer or to the failure that is told.
 *
 *   plan ──▶ call a target ──▶ it answers ───────────────────────────────▶ won
 *              ▲    │  └─ silent for too long ─▶ call another beside it      (the first to answer wins, the other is cancelled)
 *              │    └─ fails before the commit point ─▶ itinerary: where next, when ──▶ nowhere: the failure is told
 *              └─────────────────────────────────────────────┘
 *
 * A stream that breaks after its commit point has won and failed: its failure is told, unless the route wants it
 * continued and another call can repeat what was shown; that call has won then.
 *
 * Invariants: at most two calls at a time; nothing reaches the caller of a call that has not won, and once one has won no
 * other begins but to continue it. What is held and called is settled by `conclude`, whatever became of it.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { Shown } from "../attempt/continuing.ts";
import { openStreamHead } from "../conclusion/response-headers.ts";
import { deadlinePassed, isPassed, overallDueMs, readDeadline, type CallerDeadline } from "../deadline.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { Plan, RoutePolicy } from "../../routing/plan.ts";
import type { Exchange } from "../exchange.ts";
import { planRequest } from "../plan-request.ts";
import type { ExchangeDeps } from "../run.ts";
import { startHeartbeat } from "./caller-line.ts";
import { Itinerary, type Due } from "./itinerary.ts";
import { Leg, type LegCourse } from "./leg.ts";
import { Pause } from "./pause.ts";
import type { Stop } from "./place.ts";
import { judge } from "./verdict.ts";

/** Leaves the failure that is told, if any, in the exchange. Throws what keeps every call from being made. */
export async function runCourse(deps: ExchangeDeps, exchange: Exchange, principal: Principal): Promise<void> {
  const { view } = exchange;
  if (view === null) return;
  const plan = planRequest(exchange, view, principal);
  const deadline = readDeadline(exchange.incoming.headers, exchange.startedMs, view.stream);
  const nowMs = deps.clock.monotonicMs();
  if (isPassed(deadline, nowMs)) throw deadlinePassed(deadline, null, nowMs);
  const course = new Course(deps, exchange, view, principal, plan, deadline);
  const heartbeat = startHeartbeat(deps.clock, exchange, plan, callersPatienceMs(plan, deadline, nowMs));
  try {
    await course.run();
  } finally {
    heartbeat?.stop();
  }
}

const FREED_WITHIN_MS = 100;

class Course implements LegCourse, Due {
  readonly deps: ExchangeDeps;
  readonly exchange: Exchange;
  readonly view: RequestView;
  readonly principal: Principal;
  readonly policy: RoutePolicy;
  readonly deadline: CallerDeadline;
  readonly totalDueMs: number;
  /** What a stream that broke has shown, from where calls go on now. Its failure is told until one of them wins. */
  continues: Shown | null = null;
  readonly #itinerary: Itinerary;
  readonly #running: Leg[] = [];
  #winner: Leg | null = null;

  constructor(
    deps: ExchangeDeps,
    exchange: Exchange,
    view: RequestView,
    principal: Principal,
    plan: Plan,
    deadline: CallerDeadline,
  ) {
    this.deps = deps;
    this.exchange = exchange;
    this.view = view;
    this.principal = principal;
    this.policy = plan.policy;
    this.deadline = deadline;
    this.totalDueMs = overallDueMs(exchange.startedMs, plan.targets, deadline);
    this.#itinerary = new Itinerary(deps, plan, this, isRetryOfSdk(exchange));
  }

  /** Once the response's head has left, the caller waits for its beginning no longer. */
  dueMs(): number {
    if (this.exchange.responder.headSent) return this.totalDueMs;
    return Math.min(this.totalDueMs, this.deadline.firstOutputDueMs);
  }

  async run(): Promise<void> {
    const { deps, exchange } = this;
    let stop = this.#itinerary.next();
    if (stop === null) throw this.#refusal();
    while (stop !== null) {
      if (stop.waitMs > 0) await exchange.pause(new Pause(deps.clock, stop.waitMs));
      if (exchange.cancelCause !== null) return;
      await this.#race(stop);
      if (exchange.cancelCause !== null) return;
      if (this.#winner !== null && !this.#goesOnFrom(this.#winner)) return;
      stop = this.#itinerary.next();
      if (stop !== null) await this.#freeEnded();
    }
  }

  /** Why nobody was called at all. */
  #refusal(): HeadgateError {
    return this.#itinerary.isTooLate ? deadlinePassed(this.deadline, null, this.dueMs()) : this.#itinerary.refusal();
  }

  /** Waits until what ended calls held and did not use is free, but for a slow store not for long. */
  async #freeEnded(): Promise<void> {
    const { deps, exchange } = this;
    const pause = new Pause(deps.clock, FREED_WITHIN_MS);
    void Promise.all(exchange.legs.map((leg) => leg.free()))
      .catch((thrown: unknown) => deps.telemetry.backgroundFailed("freeing what a call held", thrown))
      .finally(() => pause.cancel());
    await exchange.pause(pause);
  }

  /** Whether it broke, and what it has shown is to be continued. */
  #goesOnFrom(winner: Leg): boolean {
    const { open, failure } = winner;
    const shown = open?.attempt.call.shown ?? null;
    if (failure === null || shown === null || !shown.transcript.isContinuable) return false;
    this.continues = shown;
    this.#winner = null;
    this.#tellItinerary(winner, failure);
    return true;
  }

  legCalling({ stop }: Leg): void {
    this.#itinerary.called(stop.target);
  }

  legCommitted(leg: Leg): void {
    const { exchange } = this;
    this.#win(leg);
    if (this.continues === null) openStreamHead(exchange);
    else exchange.responder.write(Buffer.from(`: continued by ${leg.stop.target.name}\n\n`));
  }

  /** Of two that are silent for too long the older makes room for another. */
  legSlow(leg: Leg): void {
    if (this.#winner !== null) return;
    const [older, newer] = this.#running;
    if (newer !== undefined && (leg !== newer || !leg.isSlow || older?.isSlow !== true || !older.isSilent)) return;
    const stop = this.#itinerary.beside(leg.isSlow);
    if (stop === null) return;
    if (newer !== undefined) older?.cancel("lost");
    this.#launch(stop);
  }

  /** Resolves when no call is under way any more. */
  async #race(first: Stop): Promise<void> {
    this.#launch(first);
    for (let leg = this.#running[0]; leg !== undefined; leg = this.#running[0]) await leg.over;
  }

  #launch(stop: Stop): void {
    const { exchange } = this;
    if (stop.passedOver.length > 0) exchange.passedOver = [...exchange.passedOver, ...stop.passedOver];
    const leg = new Leg(this, stop, this.#running.length > 0);
    exchange.legs.push(leg);
    this.#running.push(leg);
    leg.begin();
  }

  legEnded(leg: Leg): void {
    this.#running.splice(this.#running.indexOf(leg), 1);
    if (leg.isComplete && !leg.isCancelled) this.#win(leg);
    if (leg === this.#winner) this.exchange.failure = leg.failure;
    else if (this.#winner === null && leg.failure !== null) this.#failed(leg, leg.failure);
  }

  #win(leg: Leg): void {
    if (this.#winner !== null) return;
    this.#winner = leg;
    this.exchange.decisive = leg;
    this.exchange.failure = null;
    for (const other of this.#running) if (other !== leg) other.lose(leg);
  }

  /**
   * What an earlier call failed with is told rather than why a later one was not made. An extra call that an allowance has
   * no room for may be made later, when the one beside it has left what it does not need.
   */
  #failed(leg: Leg, failure: HeadgateError): void {
    const { exchange } = this;
    if (!leg.isCalled) {
      const passed = { target: leg.stop.target.name, atMs: this.deps.clock.monotonicMs(), code: failure.code };
      exchange.passedOver = [...exchange.passedOver, passed];
      if (leg.isExtra && failure.allowance !== null) return;
    }
    if (this.continues === null && (leg.isCalled || exchange.failure === null)) {
      exchange.failure = failure;
      exchange.decisive = leg;
    }
    this.#tellItinerary(leg, failure);
  }

  #tellItinerary(leg: Leg, failure: HeadgateError): void {
    const { target } = leg.stop;
    const credential = leg.open?.hold.credential ?? null;
    const { hasOtherCredential } = leg;
    this.#itinerary.failed({ target, verdict: judge(failure), failure, credential, hasOtherCredential });
  }
}

/** How long the caller waits for the head of a stream whose output is held back; `Infinity`: no need to know. */
function callersPatienceMs({ policy }: Plan, { firstOutputDueMs }: CallerDeadline, nowMs: number): number {
  return policy.commit.at === "first-output" ? Infinity : firstOutputDueMs - nowMs;
}

/** Of the request's own accord (`x-stainless-retry-count`: openai-node, `buildHeaders`). */
function isRetryOfSdk({ incoming }: Exchange): boolean {
  return Number(incoming.headers["x-stainless-retry-count"]) > 0;
}
