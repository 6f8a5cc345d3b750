/**
 * All that is known of one target: joins its breaker, its retry budget and its latency to the calls that are made of it.
 * Invariant: calls under way = calls begun - calls ended; a call says its latency once, whether when its output begins or
 * when it ends.
 */
import type { HealthConfig } from "../../config/config.ts";
import { assert } from "../../kernel/assert.ts";
import { Breaker, type BreakerCall } from "./breaker.ts";
import type { HealthDeps } from "./create-health.ts";
import type {
  CallInHealth,
  CallOutcome,
  CallsOfLate,
  HealthEvents,
  LeftAlone,
  TargetHealth,
  TargetHealthStanding,
} from "./health.ts";
import { Latency } from "./latency.ts";
import { RecentTimes } from "./recent-times.ts";
import { BUCKET_MS, RetryBudget } from "./retry-budget.ts";
import { SlidingShare } from "./sliding-share.ts";

export class TrackedTarget implements TargetHealth {
  readonly name: string;
  readonly #events: HealthEvents;
  readonly #breaker: Breaker;
  readonly #budget = new RetryBudget();
  readonly #latency = new Latency();
  /** Until the first output of streams, and until the end of whole answers; `null` before the first of its kind. */
  #firstOutputs: RecentTimes | null = null;
  #answers: RecentTimes | null = null;
  /** `null` before the first 429. */
  #limited: SlidingShare | null = null;
  #underWay = 0;
  #wasCalled = false;

  constructor(name: string, rules: HealthConfig, { random, events }: Required<HealthDeps>) {
    this.name = name;
    this.#events = events;
    this.#breaker = new Breaker(rules, random);
  }

  get wasCalled(): boolean {
    return this.#wasCalled;
  }

  configure(rules: HealthConfig): void {
    this.#breaker.configure(rules);
  }

  standing(nowMs: number): TargetHealthStanding {
    const availableInMs = this.#breaker.availableAtMs(nowMs) - nowMs;
    return {
      name: this.name,
      state: this.#breaker.state(nowMs),
      underWay: this.#underWay,
      calls: this.#breaker.calls(nowMs),
      failures: this.#breaker.failures(nowMs),
      availableInMs: availableInMs > 0 ? availableInMs : null,
      leftAloneFor: this.#breaker.leftAlone(nowMs)?.reason ?? null,
    };
  }

  availableAtMs(nowMs: number): number {
    return this.#breaker.availableAtMs(nowMs);
  }

  lastResortAtMs(nowMs: number): number {
    return this.#breaker.lastResortAtMs(nowMs);
  }

  leftAlone(nowMs: number): LeftAlone | null {
    return this.#breaker.leftAlone(nowMs);
  }

  begin(stream: boolean, nowMs: number): CallInHealth | null {
    if (this.#breaker.lastResortAtMs(nowMs) > nowMs) return null;
    const probe = this.#breaker.began(nowMs);
    this.#budget.called(nowMs);
    this.#underWay++;
    this.#wasCalled = true;
    return new TrackedCall(this, stream, nowMs, this.#breaker.generation, probe);
  }

  spendRetry(percent: number, nowMs: number): boolean {
    return this.#budget.spend(percent, nowMs);
  }

  callsOfLate(nowMs: number): CallsOfLate {
    return {
      calls: this.#budget.callsOfLate(nowMs),
      limited: this.#limited?.all(nowMs) ?? 0,
      spanMs: BUCKET_MS + (nowMs % BUCKET_MS),
    };
  }

  load(nowMs: number): number {
    return this.#latency.load(this.#underWay, nowMs);
  }

  slowFirstOutputMs(nowMs: number): number | null {
    return this.#firstOutputs?.slowMs(nowMs) ?? null;
  }

  slowAnswerMs(nowMs: number): number | null {
    return this.#answers?.slowMs(nowMs) ?? null;
  }

  slowestAnswerMs(nowMs: number): number | null {
    return this.#answers?.slowestMs(nowMs) ?? null;
  }

  /** For a call: its first output has come after so long. */
  outputBegan(call: BreakerCall, tookMs: number, nowMs: number): void {
    const wasTripped = this.#breaker.isTripped;
    this.#breaker.outputBegan(call, nowMs);
    this.#tellChange(wasTripped, nowMs);
    this.#latency.firstOutput(tookMs, nowMs);
    this.#firstOutputs ??= new RecentTimes();
    this.#firstOutputs.add(tookMs, nowMs);
  }

  /** For a call: it was a whole answer, and took so long. */
  tookWhole(tookMs: number, nowMs: number): void {
    this.#latency.whole(tookMs, nowMs);
    this.#answers ??= new RecentTimes();
    this.#answers.add(tookMs, nowMs);
  }

  /** For a call: it ends without any output after so long. */
  gaveNothing(stream: boolean, silentMs: number, nowMs: number): void {
    (stream ? this.#firstOutputs : this.#answers)?.addGivenUp(silentMs, nowMs);
  }

  /** For a call: it is over. */
  ended(call: TrackedCall, outcome: CallOutcome, nowMs: number): void {
    if (--this.#underWay === 0) this.#latency.idle(nowMs);
    const wasTripped = this.#breaker.isTripped;
    this.#tellBreaker(call, outcome, nowMs);
    this.#tellChange(wasTripped, nowMs);
  }

  #tellBreaker(call: TrackedCall, outcome: CallOutcome, nowMs: number): void {
    switch (outcome.kind) {
      case "answered":
        this.#breaker.answered(call, nowMs);
        return;
      case "failed":
        this.#latency.refused(nowMs);
        this.#breaker.failed(call, outcome.retryAfterMs, nowMs);
        return;
      case "limited":
        this.#latency.refused(nowMs);
        this.#limited ??= new SlidingShare(BUCKET_MS, 2);
        this.#limited.addAt(1, 0, call.beganMs, nowMs);
        this.#breaker.limited(call, outcome.retryAfterMs, nowMs);
        return;
      case "neutral":
        this.#breaker.dropped(call);
    }
  }

  #tellChange(wasTripped: boolean, nowMs: number): void {
    const { isTripped } = this.#breaker;
    if (isTripped === wasTripped) return;
    const { reason, untilMs } = this.#breaker.leftAlone(nowMs) ?? { reason: "failures", untilMs: nowMs };
    if (isTripped) this.#events.leftAlone(this.name, reason, untilMs - nowMs);
    else this.#events.calledAgain(this.name);
  }
}

class TrackedCall implements CallInHealth, BreakerCall {
  readonly generation: number;
  probe: BreakerCall["probe"];
  isSilent = true;
  readonly beganMs: number;
  readonly #target: TrackedTarget;
  readonly #stream: boolean;
  #state: "silent" | "speaking" | "over" = "silent";

  constructor(
    target: TrackedTarget,
    stream: boolean,
    beganMs: number,
    generation: number,
    probe: BreakerCall["probe"],
  ) {
    this.#target = target;
    this.#stream = stream;
    this.beganMs = beganMs;
    this.generation = generation;
    this.probe = probe;
  }

  outputBegan(nowMs: number): void {
    if (this.#state !== "silent") return;
    this.#state = "speaking";
    this.#target.outputBegan(this, nowMs - this.beganMs, nowMs);
  }

  ended(outcome: CallOutcome, nowMs: number): void {
    assert(this.#state !== "over", "health: a call ended twice");
    if (this.#state === "silent") this.#sayTime(outcome, nowMs);
    this.#state = "over";
    this.#target.ended(this, outcome, nowMs);
  }

  #sayTime(outcome: CallOutcome, nowMs: number): void {
    if (outcome.kind !== "answered") this.#target.gaveNothing(this.#stream, nowMs - this.beganMs, nowMs);
    else if (outcome.firstOutputMs !== null) this.#target.outputBegan(this, outcome.firstOutputMs, nowMs);
    else this.#target.tookWhole(outcome.totalMs, nowMs);
  }
}
