/**
 * Where a request goes next: which target is called first, and after a failure which one, when.
 *
 * Targets come in the plan's order: each of the route's own once, then those whose failures may pass again, after a
 * backoff; then the declared fallbacks in the same way, for which one call is always left. One that is left alone for
 * its failures (health) is passed over, and one whose queue is long comes after those that have room; one that is slowed
 * down comes after all that can be called at once, fallbacks included, but before others are called again, and after it
 * one that is left alone though it answers now and then. A stop says so.
 * A prompt that was too long goes to windows known to be larger, and once there are none to unknown ones of other models:
 * that can end no worse.
 * Bounded by the number of attempts, by the deadline, by the retry budget of each target, and by how long the gateway
 * waits on a caller's behalf: a provider that asks for more is not waited for, its `retry-after` is passed on.
 *
 * It decides and remembers, of targets no more than it has looked at; it calls nothing and waits for nothing.
 */
import type { Clock } from "../../kernel/clock.ts";
import { assert } from "../../kernel/assert.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Plan, Target } from "../../routing/plan.ts";
import type { TargetsHealth } from "../../routing/health/health.ts";
import type { PassedOver } from "../exchange.ts";
import { backoffMs } from "./backoff.ts";
import { leftAloneCode, leftAloneError, MOMENT_MS, waitMsMax } from "./left-alone.ts";
import { createPlace, type Place, type Stop } from "./place.ts";
import type { Verdict } from "./verdict.ts";

export interface ItineraryDeps {
  readonly health: TargetsHealth;
  readonly queues: {
    /** What bounds a model of a provider, and whether a call would not have to wait for its turn. */
    find(provider: string, model: string): { readonly hasRoom: boolean } | null;
    /** What slows it down, and when a call that comes now would leave. */
    readonly slowed: { find(provider: string, model: string): { turnMs(nowMs: number): number } | null };
  };
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** What a call of a target came to. */
export interface Setback {
  readonly target: Target;
  readonly verdict: Verdict;
  readonly failure: HeadgateError;
  /** The one that was used; `null`: it was not called. */
  readonly credential: string | null;
  /** Whether the provider has another that this request has not tried. */
  readonly hasOtherCredential: boolean;
}

/** When everything must be over, monotonic; it may come to be later. */
export interface Due {
  dueMs(): number;
}

export class Itinerary {
  readonly #deps: ItineraryDeps;
  readonly #plan: Plan;
  readonly #due: Due;
  /** Of the plan's first targets, in its order: as many as were looked at. */
  readonly #places: Place[] = [];
  #attemptsLeft: number;
  #isRetry: boolean;
  /** Only a context window larger than this can help. */
  #contextTokens = 0;
  /** Providers' names of models that found the prompt too long. */
  #tooSmall: readonly string[] = NONE_TOO_SMALL;
  /** No target is left whose window is known to be larger: unknown ones are tried. */
  #isGuessing = false;

  /** `isRetry`: the request was made before, by an SDK of its own accord. */
  constructor(deps: ItineraryDeps, plan: Plan, due: Due, isRetry: boolean) {
    this.#deps = deps;
    this.#plan = plan;
    this.#due = due;
    this.#attemptsLeft = plan.policy.retries.attemptsMax;
    this.#isRetry = isRetry;
  }

  /** There is no time left to call anybody. */
  get isTooLate(): boolean {
    return this.#nowMs >= this.#due.dueMs() - LAST_MS;
  }

  /** `null`: nowhere. */
  next(): Stop | null {
    if (this.#attemptsLeft === 0 || this.isTooLate) return null;
    const stop = this.#rotated() ?? this.#nextOf(false) ?? this.#nextOf(true);
    if (stop !== null || this.#contextTokens === 0 || this.#isGuessing) return stop;
    this.#isGuessing = true;
    return this.#nextOf(false) ?? this.#nextOf(true);
  }

  /**
   * A target to be called beside a silent one, that was not called yet. Leaving one that is silent for too long
   * (`isFailing`) is like leaving one that has failed; a hedge comes out of the retry budget, and is for no fallback.
   */
  beside(isFailing: boolean): Stop | null {
    if (this.#attemptsLeft === 0) return null;
    const place = this.#untried(false) ?? (isFailing ? this.#elsewhere() : null);
    return place !== null && (isFailing || this.#mayRetry(place)) ? this.#stopAt(place, 0) : null;
  }

  /** What is slowed down is better than what is silent. */
  #elsewhere(): Place | null {
    return this.#untried(true) ?? this.#untried(false, true) ?? this.#untried(true, true);
  }

  /** The same target with another credential: at once the first time, then within the retry budget. */
  #rotated(): Stop | null {
    const place = this.#places.find(({ hasCredential }) => hasCredential);
    if (place === undefined) return null;
    const isLastFor = this.#attemptsLeft === 1 && (this.#untried(false) ?? this.#untried(true)) !== null;
    if (isLastFor || (place.calls > 1 && !this.#mayRetry(place))) return null;
    return this.#stopAt(place, 0);
  }

  /** A call of the target is being made. */
  called({ name }: Target): void {
    this.#attemptsLeft--;
    const place = this.#placeOf(name);
    if (place !== null) place.calls++;
  }

  /** A call failed, or could not be made. */
  failed({ target, verdict, failure, credential, hasOtherCredential }: Setback): void {
    const place = this.#placeOf(target.name);
    if (place === null) return;
    place.failures++;
    place.againAtMs = Infinity;
    place.hasCredential = false;
    if (credential !== null) place.triedCredentials = [...place.triedCredentials, credential];
    switch (verdict) {
      case "final":
        this.#attemptsLeft = 0;
        return;
      case "elsewhere":
        place.isExcluded = true;
        return;
      case "larger":
        place.isExcluded = true;
        this.#contextTokens = Math.max(this.#contextTokens, target.contextTokens ?? WINDOW_UNKNOWN);
        this.#tooSmall = [...this.#tooSmall, target.facts.model];
        return;
      case "credential":
        if (credential !== null) place.refusedCredentials = [...place.refusedCredentials, credential];
        place.hasCredential = hasOtherCredential;
        place.isExcluded = !hasOtherCredential;
        return;
      case "limited":
        place.hasCredential = hasOtherCredential;
        if (!hasOtherCredential) this.#again(place, failure.retryAfterMs);
        return;
      case "again":
        this.#again(place, failure.retryAfterMs);
    }
  }

  /** Why no target was called at all: each is left alone. */
  refusal(): HeadgateError {
    const names = this.#plan.targets.map(({ name }) => name);
    return leftAloneError(names, this.#deps.health, this.#nowMs);
  }

  #nextOf(fallbacks: boolean): Stop | null {
    const untried = this.#untried(fallbacks);
    if (untried !== null) return this.#stopAt(untried, 0);
    if (fallbacks || this.#untried(true) === null) {
      const late = this.#untried(fallbacks, true) ?? this.#lastResort(fallbacks);
      if (late !== null) return this.#stopAt(late, 0);
      return this.#tried(fallbacks, this.#plan.policy.retries.backoffMaxMs) ?? this.#untriedSoon(fallbacks);
    }
    // A fallback may be called at once: for one of its own the route waits a moment at the most.
    return this.#attemptsLeft === 1 ? null : this.#tried(fallbacks, MOMENT_MS);
  }

  /** The one that may be called soonest, if that is soon: then it is better than refusing. */
  #untriedSoon(fallbacks: boolean): Stop | null {
    const nowMs = this.#nowMs;
    let soonest: Place | null = null;
    let soonestMs = this.#due.dueMs() - LAST_MS;
    for (const place of this.#places) {
      if (!this.#isUntried(place, fallbacks)) continue;
      const health = this.#deps.health.target(place.target.name);
      const atMs = health.availableAtMs(nowMs);
      if (atMs >= soonestMs || atMs - nowMs > waitMsMax(health.leftAlone(nowMs), this.#plan.policy.retries)) continue;
      soonest = place;
      soonestMs = atMs;
    }
    return soonest === null ? null : this.#stopAt(soonest, Math.max(0, soonestMs - nowMs));
  }

  /** One that fails often, and answers now and then. */
  #lastResort(fallbacks: boolean): Place | null {
    const nowMs = this.#nowMs;
    for (const place of this.#places) {
      if (!this.#isUntried(place, fallbacks)) continue;
      if (this.#deps.health.target(place.target.name).lastResortAtMs(nowMs) <= nowMs) return place;
    }
    return null;
  }

  /** `inLine`: also one that is slowed down, and whose turn has to be waited for. */
  #untried(fallbacks: boolean, inLine = false): Place | null {
    const nowMs = this.#nowMs;
    let crowded: Place | null = null;
    const { targets } = this.#plan;
    for (let index = 0; index < targets.length; index++) {
      const place = this.#placeAt(index);
      const { target } = place;
      if (!this.#isUntried(place, fallbacks)) continue;
      if (this.#deps.health.target(target.name).availableAtMs(nowMs) > nowMs) continue;
      if (!inLine && this.#turnMs(target, nowMs) > nowMs) continue;
      if (this.#hasRoom(target)) return place;
      crowded ??= place;
    }
    return crowded;
  }

  /** The one that may be called again soonest. */
  #tried(fallbacks: boolean, waitMsMax: number): Stop | null {
    const nowMs = this.#nowMs;
    let soonest: Place | null = null;
    let soonestMs = Math.min(this.#due.dueMs() - LAST_MS, nowMs + waitMsMax);
    let joinsMs = nowMs;
    for (const place of this.#places) {
      const { target, calls, isExcluded, againAtMs } = place;
      if (target.isFallback !== fallbacks || isExcluded || calls === 0 || !this.#isLargeEnough(target)) continue;
      const welcomeMs = Math.max(againAtMs, this.#deps.health.target(target.name).lastResortAtMs(nowMs));
      const atMs = Math.max(welcomeMs, this.#turnMs(target, nowMs));
      if (atMs > soonestMs || (atMs === soonestMs && soonest !== null)) continue;
      soonest = place;
      soonestMs = atMs;
      // For a turn it waits in the line.
      joinsMs = welcomeMs;
    }
    if (soonest === null || !this.#mayRetry(soonest)) return null;
    return this.#stopAt(soonest, Math.max(0, joinsMs - nowMs));
  }

  #again(place: Place, retryAfterMs: number | null): void {
    // Whichever credential is next: all that were not refused are equally welcome again.
    place.triedCredentials = place.refusedCredentials;
    const { retries } = this.#plan.policy;
    place.againAtMs = this.#nowMs + backoffMs(retries, place.failures, retryAfterMs, this.#deps.random);
  }

  /** A request that is itself a retry spends for that, too, once it needs more. */
  #mayRetry({ target }: Place): boolean {
    const { budgetPercent } = this.#plan.policy.retries;
    const health = this.#deps.health.target(target.name);
    const wasRetry = this.#isRetry;
    this.#isRetry = false;
    if (wasRetry && !health.spendRetry(budgetPercent, this.#nowMs)) return false;
    return health.spendRetry(budgetPercent, this.#nowMs);
  }

  #isUntried({ target, calls, isExcluded }: Place, fallbacks: boolean): boolean {
    return target.isFallback === fallbacks && calls === 0 && !isExcluded && this.#isLargeEnough(target);
  }

  /** A model that found the prompt too long is taken to be the same one elsewhere, unless it is known not to be. */
  #isLargeEnough({ contextTokens, facts }: Target): boolean {
    if (this.#contextTokens === 0) return true;
    if (contextTokens !== null) return contextTokens > this.#contextTokens;
    return this.#isGuessing && !this.#tooSmall.includes(facts.model);
  }

  /** When a call that comes now would leave; in the past if it is not slowed down. */
  #turnMs({ provider, facts }: Target, nowMs: number): number {
    return this.#deps.queues.slowed.find(provider, facts.model)?.turnMs(nowMs) ?? -Infinity;
  }

  #hasRoom({ provider, facts }: Target): boolean {
    return this.#deps.queues.find(provider, facts.model)?.hasRoom ?? true;
  }

  #stopAt(place: Place, waitMs: number): Stop {
    const { target, triedCredentials } = place;
    return { target, waitMs, triedCredentials, passedOver: this.#passedOverFor(place) };
  }

  /** Those that would have come before it, and that nothing was told of yet. */
  #passedOverFor(place: Place): readonly PassedOver[] {
    let passedOver: PassedOver[] | null = null;
    for (const other of this.#places) {
      if (other === place && place.calls === 0) break;
      const { target, calls, isExcluded, isPassedOver } = other;
      if (calls > 0 || isExcluded || isPassedOver || (target.isFallback && !place.target.isFallback)) continue;
      const code = this.#isLargeEnough(target) ? this.#whyNot(target) : null;
      if (code === null) continue;
      other.isPassedOver = true;
      passedOver ??= [];
      passedOver.push({ target: target.name, atMs: this.#nowMs, code });
    }
    return passedOver ?? NOBODY;
  }

  #whyNot(target: Target): PassedOver["code"] | null {
    const leftAlone = this.#deps.health.target(target.name).leftAlone(this.#nowMs);
    if (leftAlone !== null) return leftAloneCode(leftAlone.reason);
    if (this.#turnMs(target, this.#nowMs) > this.#nowMs) return "target_limited";
    return this.#hasRoom(target) ? null : "overloaded";
  }

  get #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  /** They are looked at in order, so that none is left out. */
  #placeAt(index: number): Place {
    const place = this.#places[index];
    if (place !== undefined) return place;
    const target = this.#plan.targets[index];
    assert(target !== undefined, "the plan has a target at each index");
    const made = createPlace(target);
    this.#places.push(made);
    return made;
  }

  #placeOf(name: string): Place | null {
    for (let index = 0; index < this.#plan.targets.length; index++) {
      const place = this.#placeAt(index);
      if (place.target.name === name) return place;
    }
    return null;
  }
}

const NOBODY: readonly PassedOver[] = [];
const NONE_TOO_SMALL: readonly string[] = [];
/** A window that was too small without being known: any that is known may be larger. */
const WINDOW_UNKNOWN = 1;
/** With no more time than this left nobody is called. */
const LAST_MS = 2;
