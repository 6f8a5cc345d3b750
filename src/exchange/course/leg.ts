/**
 * One call of one target with everything that belongs to it, from its turn in the queue to the end of the call:
 *
 *   waiting (turn, then budget, then the commit of its hold) ──▶ calling ──▶ over
 *      └────────── refused, or cancelled ────────────────────────────────────▲
 *
 * Invariants: it ends once, and `over` never rejects. Its place in the queue and in the target's health are given
 * back when it is over; what is reserved for it is settled by `conclude`, however far it came.
 */
import type { Price } from "../../accounting/price-book.ts";
import { totalInputTokens, totalOutputTokens } from "../../kernel/usage.ts";
import { HeadgateError, toHeadgateError } from "../../kernel/errors.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { Pass } from "../../limits/queue/pass.ts";
import type { Reservation } from "../../limits/limits.ts";
import type { CallInHealth } from "../../routing/health/health.ts";
import type { RoutePolicy } from "../../routing/plan.ts";
import type { Principal } from "../../tenancy/principal.ts";
import { Attempt, type AttemptSink } from "../attempt/attempt.ts";
import { chooseTarget, holdPrice, type ChosenTarget } from "../attempt/choose.ts";
import type { Shown } from "../attempt/continuing.ts";
import { prepareAttempt } from "../attempt/prepare.ts";
import { EARLY_MS } from "../attempt/timers.ts";
import { demandOf, settleAttempt } from "../conclusion/settle.ts";
import { deadlinePassed, type CallerDeadline } from "../deadline.ts";
import {
  callerGone,
  isCalled,
  shuttingDown,
  type CancelCause,
  type Exchange,
  type ExchangeLeg,
  type OpenAttempt,
} from "../exchange.ts";
import { enterQueue, enterSlowed } from "../reservation/enter-queue.ts";
import { Growth } from "../reservation/growth.ts";
import { reserve, type Reserved } from "../reservation/reserve.ts";
import type { ExchangeDeps } from "../run.ts";
import { leftAloneError } from "./left-alone.ts";
import { outcomeOf, slowDownIfLimited } from "./outcome.ts";
import { patienceWith, type Patience } from "./patience.ts";
import type { Stop } from "./place.ts";

/** The course that calls are part of: what is the same for all of them, and who is told of each. */
export interface LegCourse {
  readonly deps: ExchangeDeps;
  readonly exchange: Exchange;
  readonly view: RequestView;
  readonly principal: Principal;
  readonly policy: RoutePolicy;
  readonly deadline: CallerDeadline;
  /** When everything must be over, by the caller's deadline or the gateway's timeouts; monotonic. */
  readonly totalDueMs: number;
  /** The same, or when the response must have begun, as long as it has not. */
  dueMs(): number;
  /** The call is about to be made: it counts from now on. */
  legCalling(leg: Leg): void;
  /** Its stream passes its commit point: the others have lost. */
  legCommitted(leg: Leg): void;
  /** It has been silent for so long that another target is worth a call beside it; told again as it goes on. */
  legSlow(leg: Leg): void;
  legEnded(leg: Leg): void;
  /** What a stream that broke has shown, from where calls go on now; `null`: they begin anew. */
  readonly continues: Shown | null;
}

export class Leg implements AttemptSink, ExchangeLeg {
  readonly stop: Stop;
  readonly isExtra: boolean;
  /** `null` before the target is looked up. */
  chosen: ChosenTarget | null = null;
  reservation: Reservation | null = null;
  /** The most output tokens, where the caller allowed the gateway to lower its bound and it did. */
  outputBound: number | null = null;
  /** With its hold in the journal. `null`: it came to none. */
  open: OpenAttempt | null = null;
  /** Why it ended without an answer. `null` while it runs, where it answered, and where it was cancelled. */
  failure: HeadgateError | null = null;
  /** Resolves when it has ended, however it did. */
  over: Promise<void> = Promise.resolve();
  /** It waits no longer and calls no more, and nothing is wanted of it. */
  isCancelled = false;
  /** It was silent for longer than a target may be. */
  isSlow = false;
  readonly #course: LegCourse;
  #pass: Pass | null = null;
  #inHealth: CallInHealth | null = null;
  #isFreed = false;
  #patience: Patience | null = null;

  /** `isExtra`: another call is under way, and the request goes on with that if this one cannot be made. */
  constructor(course: LegCourse, stop: Stop, isExtra: boolean) {
    this.isExtra = isExtra;
    this.stop = stop;
    this.#course = course;
  }

  /** To be called once. */
  begin(): void {
    this.over = this.#run();
  }

  async #run(): Promise<void> {
    try {
      await this.#call();
    } catch (thrown) {
      if (!this.isCancelled) this.failure = toHeadgateError(thrown);
    }
    try {
      this.#end();
    } catch (thrown) {
      this.failure ??= toHeadgateError(thrown);
    }
    this.#course.legEnded(this);
  }

  #end(): void {
    const nowMs = this.#course.deps.clock.monotonicMs();
    const outcome = outcomeOf(this, nowMs);
    this.#pass?.leave(this.#tokensUsed(), outcome);
    this.#inHealth?.ended(outcome, nowMs);
    slowDownIfLimited(this.#course.deps, this, outcome, nowMs);
    this.#tellCredential();
  }

  get isUncounted(): boolean {
    const refusedBy = this.#course.exchange.failure?.allowance ?? null;
    return this.isExtra || refusedBy !== null;
  }

  /** Its target was called, whatever came of that. */
  get isCalled(): boolean {
    return this.open !== null && isCalled(this.open);
  }

  /** The answer is whole. */
  get isComplete(): boolean {
    return this.open?.attempt.state === "complete";
  }

  /** Whether the provider has a credential that this request has not tried and nobody else found refused or limited. */
  get hasOtherCredential(): boolean {
    if (this.chosen === null || this.chosen.endpoint.credentialNames.length < 2) return false;
    const { deps } = this.#course;
    const { credentialNames, name: provider } = this.chosen.endpoint;
    const used = this.open?.hold.credential;
    const left = credentialNames.filter((name) => name !== used && !this.stop.triedCredentials.includes(name));
    const credentials = deps.health.credentials(provider);
    const nowMs = deps.clock.monotonicMs();
    return left.some((name) => !credentials.isMarked(name, nowMs));
  }

  /** It is called and has given no output. */
  get isSilent(): boolean {
    return this.open !== null && this.open.attempt.firstOutputAtMs === null;
  }

  /** It was left for its silence, and not because the request had little time. */
  wasSilentTooLong(nowMs: number): boolean {
    return this.isSlow && this.isSilent && this.#silentMs(nowMs) >= (this.#patience?.tellingMs ?? Infinity) - EARLY_MS;
  }

  /** It is over, but not the request: what it holds and did not use is freed for the calls that follow. */
  async free(): Promise<void> {
    const { deps } = this.#course;
    const { open, reservation } = this;
    if (reservation === null || this.#isFreed) return;
    this.#isFreed = true;
    const entry = open === null ? null : settleAttempt(open, deps.clock.wallMs());
    const heldAmounts = reservation.shrink(demandOf(open, entry));
    if (open !== null && entry !== null) {
      const { usage: heldUsage, costNanoUsd: heldCostNanoUsd } = entry;
      await deps.journal.extend({ attemptId: open.hold.attemptId, heldUsage, heldCostNanoUsd, heldAmounts });
    }
    reservation.shrunk();
  }

  /** Another call has won. Having lost to an older one says nothing about the target: it had less time. */
  lose(winner: Leg): void {
    const beganMs = (leg: Leg): number => leg.open?.attempt.startedAtMs ?? Infinity;
    if (beganMs(winner) <= beganMs(this)) this.isSlow = false;
    this.cancel("lost");
  }

  /** Ends it, by the provider's policy for callers who leave; at once for a shutdown, or where nothing is wanted of it. */
  cancel(cause: CancelCause | "lost"): void {
    const first = !this.isCancelled;
    this.isCancelled = true;
    this.#pass?.cancel(cause === "shutdown" ? shuttingDown() : callerGone());
    const attempt = this.open?.attempt;
    if (attempt === undefined) return;
    if (cause !== "caller-gone") attempt.cancel(0);
    else if (first) attempt.cancel(this.#drainMs());
  }

  async #call(): Promise<void> {
    const { deps, exchange, view, principal } = this.#course;
    const chosen = chooseTarget(exchange, view, this.stop.target);
    this.chosen = chosen;
    const turn = this.#takeTurn(chosen);
    if (turn !== null) await turn;
    if (this.isCancelled) return;
    let reserved = reserve(deps.limits, exchange, view, principal, chosen, this);
    if (reserved instanceof Promise) {
      // Nobody waits for a target behind a request that waits for its budget.
      const bounded = this.#pass !== null;
      this.#pass?.leave(0);
      reserved = await reserved;
      if (bounded && !this.isCancelled) await this.#takeTurn(chosen);
    }
    if (this.isCancelled) return;
    this.#refusePassed();
    await this.#callTarget(chosen, reserved);
  }

  /** Its turn in front of a bounded or slowed target, where it has to wait for that; `null`: it need not. */
  #takeTurn(chosen: ChosenTarget): Promise<void> | null {
    const { queues } = this.#course.deps;
    const slowed = enterSlowed(queues, this.#course, chosen);
    if (slowed !== null) return this.#takeTurns(chosen, slowed);
    this.#pass = enterQueue(queues, this.#course, chosen);
    return this.#pass?.ready ?? null;
  }

  async #takeTurns(chosen: ChosenTarget, slowed: Pass): Promise<void> {
    this.#pass = slowed;
    if (slowed.ready !== null) await slowed.ready;
    slowed.leave();
    this.#pass = this.isCancelled ? null : enterQueue(this.#course.deps.queues, this.#course, chosen);
    if (this.#pass !== null && this.#pass.ready !== null) await this.#pass.ready;
  }

  async #callTarget(chosen: ChosenTarget, reserved: Reserved): Promise<void> {
    const { deps, exchange, view, principal, policy, deadline } = this.#course;
    if (exchange.attempts.length === 0) exchange.admittedMs = deps.clock.monotonicMs();
    const patience = this.#patienceWith(chosen);
    this.#patience = patience;
    const prepared = prepareAttempt(deps, exchange, view, principal, {
      chosen,
      policy,
      deadline,
      credential: this.#credential(chosen),
      held: reserved.held,
      heldAmounts: reserved.reservation.heldAmounts,
      outputBound: this.outputBound,
      totalDueMs: this.#totalDueMs(chosen),
      slowAfterMs: Math.min(patience.hedgeMs, patience.switchMs),
      continues: this.#course.continues,
    });
    this.#inHealth = this.#beginInHealth();
    this.#course.legCalling(this);
    const attempt = new Attempt(deps, prepared.call, this);
    await deps.journal.open(prepared.hold);
    const { endpoint, price, mayServe } = chosen;
    const open = { hold: prepared.hold, attempt, endpoint, price, mayServe };
    this.open = open;
    if (this.isCancelled || this.#isPassed()) {
      attempt.cancel(0);
      if (!this.isCancelled) throw this.#tooLate();
      return;
    }
    exchange.attempts.push(open);
    const growth = this.#growth(open, reserved, holdPrice(chosen));
    attempt.start();
    await attempt.done;
    growth?.stop();
    if (attempt.failure !== null) this.failure = attempt.failure;
  }

  /** `null` is never given to a call: a target without a usable credential is told of as such. */
  #credential({ endpoint }: ChosenTarget): string {
    const { deps } = this.#course;
    const { credentialNames, name: provider } = endpoint;
    const credentials = deps.health.credentials(provider);
    const name = credentials.next(credentialNames, this.stop.triedCredentials, deps.clock.monotonicMs());
    if (name !== null) return name;
    throw new HeadgateError(
      "upstream_credentials",
      `The gateway has no credential left for provider ${provider}. The operator sets providers.${provider}.credentials.`,
    );
  }

  #beginInHealth(): CallInHealth {
    const { deps } = this.#course;
    const { name } = this.stop.target;
    const call = deps.health.target(name).begin(this.#course.view.stream, deps.clock.monotonicMs());
    if (call !== null) return call;
    throw leftAloneError([name], deps.health, deps.clock.monotonicMs());
  }

  attemptBegan(): void {
    this.#inHealth?.outputBegan(this.#course.deps.clock.monotonicMs());
  }

  attemptCommitted(): void {
    this.#course.legCommitted(this);
  }

  attemptWrite(bytes: Uint8Array): boolean {
    return this.#course.exchange.responder.write(bytes);
  }

  unreadBytes(): number {
    return this.#course.exchange.responder.unreadBytes;
  }

  attemptSlow(): void {
    const silentMs = this.#silentMs(this.#course.deps.clock.monotonicMs());
    this.isSlow = silentMs >= (this.#patience?.switchMs ?? Infinity) - EARLY_MS;
    this.#course.legSlow(this);
  }

  #silentMs(nowMs: number): number {
    return nowMs - (this.open?.attempt.sentAtMs ?? Infinity);
  }

  #patienceWith({ target: { name, timeouts, facts }, outbound }: ChosenTarget): Patience {
    const { deps, policy, view: asked } = this.#course;
    const nowMs = deps.clock.monotonicMs();
    const leftMs = this.#course.dueMs() - nowMs;
    const target = deps.health.target(name);
    const thinksUnasked = facts.thinksUnasked === true;
    const generates = outbound.generates !== false;
    return patienceWith({ policy, timeouts, target, asked, thinksUnasked, generates, leftMs }, nowMs);
  }

  /** Its own time, as far as the request's reaches. */
  #totalDueMs({ target }: ChosenTarget): number {
    const { deps, totalDueMs } = this.#course;
    const { totalMs } = target.timeouts;
    return totalMs === 0 ? totalDueMs : Math.min(totalDueMs, deps.clock.monotonicMs() + totalMs);
  }

  #tellCredential(): void {
    const { deps } = this.#course;
    if (this.open === null || this.chosen === null) return;
    const credentials = deps.health.credentials(this.chosen.endpoint.name);
    const { credential } = this.open.hold;
    if (this.failure?.code === "upstream_credentials") {
      credentials.refused(credential, deps.clock.monotonicMs());
    } else if (this.failure?.code === "upstream_rate_limited") {
      credentials.limited(credential, this.failure.retryAfterMs, deps.clock.monotonicMs());
    } else if (this.open.attempt.answered) {
      credentials.accepted(credential, this.open.attempt.startedAtMs ?? 0);
    }
  }

  #growth(open: OpenAttempt, { reservation, held, whole }: Reserved, price: Price | null): Growth | null {
    const { deps, exchange, view } = this.#course;
    if (!view.stream || !reservation.growing || held === whole) return null;
    const growth = new Growth({
      reservation,
      hold: open.hold,
      price,
      worst: whole,
      sliceTokens: exchange.snapshot.config.budgets.outputSliceTokens,
      extended(extension) {
        deps.journal
          .extend(extension)
          .catch((thrown: unknown) => deps.telemetry.backgroundFailed("extending a hold", thrown));
      },
      stream: open.attempt,
    });
    open.attempt.growth = growth;
    return growth;
  }

  /** What the queue charges to the tenant; `undefined` where the provider did not say: then the estimate stands. */
  #tokensUsed(): number | undefined {
    if (this.open === null || !this.isCalled || this.open.attempt.refused) return 0;
    const { usage } = this.open.attempt.reading;
    return usage === null ? undefined : totalInputTokens(usage) + totalOutputTokens(usage);
  }

  #drainMs(): number {
    const { callerGone: policy, drainMs } = this.chosen?.endpoint.config ?? { callerGone: "cancel", drainMs: 0 };
    return policy === "drain" ? drainMs : 0;
  }

  #refusePassed(): void {
    if (this.#isPassed()) throw this.#tooLate();
  }

  #tooLate(): HeadgateError {
    const { deps, deadline } = this.#course;
    return deadlinePassed(deadline, this.stop.target.name, deps.clock.monotonicMs());
  }

  #isPassed(): boolean {
    return this.#course.deps.clock.monotonicMs() >= this.#course.dueMs();
  }
}
