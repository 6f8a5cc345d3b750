/**
 * Callers who go on asking, and a provider that limits its rate and does not say for how long, on a virtual clock: where
 * each request goes, waits and is called again is decided by the gateway's own itinerary, health and queues.
 */
import { defaultConfig, defaultModel } from "../../src/config/defaults.ts";
import { Itinerary } from "../../src/exchange/course/itinerary.ts";
import type { Verdict } from "../../src/exchange/course/verdict.ts";
import { HeadgateError } from "../../src/kernel/errors.ts";
import { createTargetQueues, type TargetQueues } from "../../src/limits/queue/queue.ts";
import { createTargetsHealth } from "../../src/routing/health/create-health.ts";
import type { TargetsHealth } from "../../src/routing/health/health.ts";
import type { Plan, Target } from "../../src/routing/plan.ts";
import { createEventClock, type EventClock } from "./event-clock.ts";
import { createRandom, type Random } from "./traffic.ts";

export interface LimitedTraffic {
  /** Each asks again as soon as it is answered, and a while after it was refused. */
  readonly callers: number;
  readonly lengthMs: number;
  /** How long an answer takes; a 429 takes `LIMITED_MS`. */
  readonly answerMs: number;
  /** Whether the provider answers a call that comes now. */
  readonly accepts: (nowMs: number, random: Random) => boolean;
  /** `false`: 429s concern nobody but the requests that got them. */
  readonly slowsDown: boolean;
}

export interface LimitedOutcome {
  /** What reached the provider, of which it answered so many. */
  calls: number;
  answered: number;
  /** Requests that ended without an answer. */
  refused: number;
}

const STEP_MS = 5;
const LIMITED_MS = 50;
const ASKED_AGAIN_MS = 1_000;
const config = defaultConfig();
const target: Target = {
  provider: "p",
  name: "p/m",
  dialect: "openai-chat",
  facts: { model: "m", maxOutputTokens: null, quirks: {} },
  timeouts: config.timeouts,
  queue: config.queue,
  isFallback: false,
  contextTokens: null,
};
const plan: Plan = { asked: "m", targets: [target], policy: { ...defaultModel(), retries: config.retries } };

export async function simulateLimited(traffic: LimitedTraffic): Promise<LimitedOutcome> {
  const clock = createEventClock();
  const outcome = { calls: 0, answered: 0, refused: 0 };
  const random = createRandom(7);
  const health = createTargetsHealth({ random }, config);
  const callers = new Callers(clock, random, health, createTargetQueues({ clock }, config), traffic, outcome);
  for (let caller = 0; caller < traffic.callers; caller++) void callers.askOn();
  // What follows of an event may take several microtasks: they run before the next step.
  for (let nowMs = 0; nowMs < traffic.lengthMs; nowMs += STEP_MS) await clock.runUntil(nowMs + STEP_MS);
  return outcome;
}

class Callers {
  readonly #clock: EventClock;
  readonly #random: Random;
  readonly #health: TargetsHealth;
  readonly #queues: TargetQueues;
  readonly #traffic: LimitedTraffic;
  readonly #outcome: LimitedOutcome;

  constructor(
    clock: EventClock,
    random: Random,
    health: TargetsHealth,
    queues: TargetQueues,
    traffic: LimitedTraffic,
    outcome: LimitedOutcome,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#health = health;
    this.#queues = queues;
    this.#traffic = traffic;
    this.#outcome = outcome;
  }

  async askOn(): Promise<void> {
    while (this.#clock.monotonicMs() < this.#traffic.lengthMs) {
      if (await this.#ask()) this.#outcome.answered++;
      else {
        this.#outcome.refused++;
        await this.#wait(ASKED_AGAIN_MS * (0.75 + 0.5 * this.#random()));
      }
    }
  }

  /** One request, with all its calls. */
  async #ask(): Promise<boolean> {
    const deps = { health: this.#health, queues: this.#queues, clock: this.#clock, random: this.#random };
    const way = new Itinerary(deps, plan, { dueMs: () => Infinity }, false);
    for (let stop = way.next(); stop !== null; stop = way.next()) {
      if (stop.waitMs > 0) await this.#wait(stop.waitMs);
      let verdict: Verdict = "limited";
      try {
        await this.#takeTurn();
        way.called(target);
        if (await this.#call()) return true;
      } catch {
        verdict = "elsewhere";
      }
      const failure = new HeadgateError("upstream_rate_limited", "Too many.");
      way.failed({ target, verdict, failure, credential: "k", hasOtherCredential: false });
    }
    return false;
  }

  async #takeTurn(): Promise<void> {
    const { waitMs } = target.queue;
    const request = { tenantId: "t", weight: 1, priority: "interactive", cost: 500, waitMs, dueMs: Infinity } as const;
    const pass = this.#queues.slowed.find("p", "m")?.enter(request) ?? null;
    if (pass !== null && pass.ready !== null) await pass.ready;
    pass?.leave();
  }

  async #call(): Promise<boolean> {
    const { accepts, answerMs, slowsDown } = this.#traffic;
    const health = this.#health.target(target.name);
    const beganMs = this.#clock.monotonicMs();
    const call = health.begin(false, beganMs);
    if (call === null) throw new Error("The target is left alone.");
    this.#outcome.calls++;
    const isAnswered = accepts(beganMs, this.#random);
    await this.#wait(isAnswered ? answerMs : LIMITED_MS);
    const nowMs = this.#clock.monotonicMs();
    if (isAnswered) {
      call.ended({ kind: "answered", firstOutputMs: null, totalMs: answerMs }, nowMs);
    } else {
      call.ended({ kind: "limited", retryAfterMs: null }, nowMs);
      const limited = { beganMs, saysWhen: false, againMs: nowMs, ofLate: health.callsOfLate(nowMs) };
      if (slowsDown) this.#queues.slowed.limited("p", "m", limited);
    }
    return isAnswered;
  }

  #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.setTimer(resolve, ms);
    return promise;
  }
}

/** So many calls a second, and as many at once after a pause. */
export function atMost(perSecond: number): LimitedTraffic["accepts"] {
  let left = perSecond;
  let atMs = 0;
  return (nowMs) => {
    left = Math.min(perSecond, left + ((nowMs - atMs) * perSecond) / 1_000);
    atMs = nowMs;
    if (left < 1) return false;
    left--;
    return true;
  };
}
