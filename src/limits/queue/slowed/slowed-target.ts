/**
 * A target that is slowed down: calls leave for it at a pace (pace.ts), and wait in line for that by the rules of every
 * queue. A call that leaves is nothing to it any more; how many run is another queue's affair.
 */
import type { Clock, Timer } from "../../../kernel/clock.ts";
import { QueuedPass, type Pass, type PassHost, type QueueRequest } from "../pass.ts";
import type { AwaitedTarget } from "../refusals.ts";
import { ServiceRate } from "../service-rate.ts";
import { WaitingLine, type LineOwner, type LineRules } from "../waiting-line.ts";
import { Pace, type LimitedCall } from "./pace.ts";

/** How a target stands that is slowed down. */
export interface SlowedStanding {
  /** `provider/model` */
  readonly target: string;
  /** That may leave at present. */
  readonly callsPerSecond: number;
  readonly waiting: number;
}

export class SlowedTarget implements PassHost, LineOwner {
  readonly awaited: AwaitedTarget;
  readonly #clock: Clock;
  readonly #line: WaitingLine;
  readonly #pace = new Pace();
  readonly #rate = new ServiceRate();
  #timer: Timer | null = null;

  constructor(name: string, clock: Clock, rules: LineRules) {
    this.awaited = { name, state: "is slowed down, because its provider limits its rate", code: "target_limited" };
    this.#clock = clock;
    this.#line = new WaitingLine(this, clock, rules);
  }

  /** Nobody waits, and nobody need. */
  get isOver(): boolean {
    return this.#line.length === 0 && this.#pace.isOver(this.#clock.monotonicMs());
  }

  get standing(): SlowedStanding {
    const callsPerSecond = this.#pace.perSecond(this.#clock.monotonicMs());
    return { target: this.awaited.name, callsPerSecond, waiting: this.#line.length };
  }

  /** When a call that comes now would leave, about; monotonic. */
  turnMs(nowMs: number): number {
    const ahead = this.#line.length;
    return Math.max(nowMs, this.#pace.nextMs) + (ahead * 1_000) / this.#pace.perSecond(nowMs);
  }

  /** Throws `target_limited` or `shutting_down` for a call that may not even wait. */
  enter(request: QueueRequest): Pass {
    const nowMs = this.#clock.monotonicMs();
    const pass = new QueuedPass(this, request, nowMs);
    if (this.#line.length === 0 && this.#pace.nextMs <= nowMs) this.#pace.left(nowMs);
    else this.#wait(pass, request, nowMs);
    return pass;
  }

  limited(call: LimitedCall): void {
    const nowMs = this.#clock.monotonicMs();
    this.#pace.limited(call, nowMs);
    this.#setTimer(nowMs);
  }

  configure(rules: LineRules): void {
    this.#line.configure(rules);
  }

  /** Refuses all that wait, and from now on all that would have to. */
  drain(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#line.drain(nowMs);
    this.#setTimer(nowMs);
  }

  ended(pass: QueuedPass, used: number): void {
    this.#line.ended(pass, used);
  }

  abandoned(pass: QueuedPass): void {
    const nowMs = this.#clock.monotonicMs();
    this.#line.remove(pass, nowMs);
    pass.waitedMs = nowMs - pass.enteredMs;
    this.#setTimer(nowMs);
  }

  expectedMs(pass: QueuedPass, nowMs: number): number | null {
    const pauseMs = this.#pace.nextMs - nowMs;
    const byRateMs = this.#rate.waitMs(this.#line.costAhead(pass), nowMs);
    return byRateMs === null && pauseMs <= 0 ? null : Math.max(byRateMs ?? 0, pauseMs);
  }

  #wait(pass: QueuedPass, request: QueueRequest, nowMs: number): void {
    if (this.#line.length === 0) this.#rate.begin(nowMs);
    this.#line.add(pass, request, nowMs);
    this.#setTimer(nowMs);
  }

  #setTimer(nowMs: number): void {
    this.#timer?.cancel();
    const delayMs = Math.max(0, this.#pace.nextMs - nowMs);
    this.#timer = this.#line.length === 0 ? null : this.#clock.setTimer(this.#letGo, delayMs);
  }

  readonly #letGo = (): void => {
    const nowMs = this.#clock.monotonicMs();
    while (this.#line.length > 0 && this.#pace.nextMs <= nowMs) {
      const pass = this.#line.take(nowMs);
      this.#rate.served(pass.cost, nowMs);
      this.#pace.left(nowMs);
      pass.admit(nowMs);
    }
    if (this.#line.length === 0) this.#line.reset();
    this.#setTimer(nowMs);
  };
}
