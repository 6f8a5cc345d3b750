/**
 * Where a request goes next: which target is called first, and after a failure which one, when.
 *
 * Targets come in the plan's order: each of the route's own once, then those whose failures may pass again, after a
 * backoff; then the declared fallbacks in the same way, for which one call is always left. One that is left alone for
 * its failures (health) is passed over, and one whose queue is long comes after those that have room. Bounded by the number of attempts, by the deadline, by the retry budget of each
 * target, and by how long the gateway waits on a caller's behalf: a provider that asks for more is not waited for, its
 * `retry-after` is passed on.
 *
 * It decides and remembers; it calls nothing and waits for nothing.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import type { Plan, Target } from "../../routing/plan.ts";
import type { TargetsHealth } from "../../routing/health/health.ts";
import { backoffMs } from "./backoff.ts";
import type { Verdict } from "./verdict.ts";

export interface Stop {
  readonly target: Target;
  /** Until the call; 0: at once. */
  readonly waitMs: number;
  /** Credentials of its provider that this request has tried. */
  readonly triedCredentials: readonly string[];
}

export interface ItineraryDeps {
  readonly health: TargetsHealth;
  /** Whether a call of the target would not have to wait for its turn. */
  readonly hasRoom: (target: Target) => boolean;
  readonly nowMs: () => number;
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

interface Place {
  readonly target: Target;
  calls: number;
  failures: number;
  /** Nothing but another target can help. */
  isExcluded: boolean;
  /** After a failure: when it may be called again, monotonic. */
  againAtMs: number;
  /** Its provider has a credential that this request has not tried: it is called with that before anything else. */
  hasCredential: boolean;
  readonly triedCredentials: string[];
  /** Of those, the ones that the provider refused: they are not tried again. */
  readonly refusedCredentials: string[];
}

export class Itinerary {
  readonly #deps: ItineraryDeps;
  readonly #plan: Plan;
  /** When everything must be over, monotonic. */
  readonly #dueMs: () => number;
  readonly #places: readonly Place[];
  #attemptsLeft: number;
  #isRetry: boolean;
  /** Only a context window larger than this can help. */
  #contextTokens = 0;

  /** `isRetry`: the request was made before, by an SDK of its own accord. */
  constructor(deps: ItineraryDeps, plan: Plan, dueMs: () => number, isRetry: boolean) {
    this.#deps = deps;
    this.#plan = plan;
    this.#dueMs = dueMs;
    this.#attemptsLeft = plan.policy.retries.attemptsMax;
    this.#isRetry = isRetry;
    this.#places = plan.targets.map((target) => ({
      target,
      calls: 0,
      failures: 0,
      isExcluded: false,
      againAtMs: Infinity,
      hasCredential: false,
      triedCredentials: [],
      refusedCredentials: [],
    }));
  }

  /** `null`: nowhere. */
  next(): Stop | null {
    if (this.#attemptsLeft === 0 || this.#deps.nowMs() >= this.#dueMs() - LAST_MS) return null;
    return this.#rotated() ?? this.#nextOf(false) ?? this.#nextOf(true);
  }

  /**
   * A target to be called beside a silent one, that was not called yet. Leaving one that is silent for too long
   * (`isFailing`) is like leaving one that has failed; a hedge comes out of the retry budget, and is for no fallback.
   */
  beside(isFailing: boolean): Stop | null {
    if (this.#attemptsLeft === 0) return null;
    const place = this.#untried(false) ?? (isFailing ? this.#untried(true) : null);
    return place !== null && (isFailing || this.#mayRetry(place)) ? stopAt(place, 0) : null;
  }

  /** The same target with another credential: at once the first time, then within the retry budget. */
  #rotated(): Stop | null {
    const place = this.#places.find(({ hasCredential }) => hasCredential);
    if (place === undefined) return null;
    const isLastFor = this.#attemptsLeft === 1 && (this.#untried(false) ?? this.#untried(true)) !== null;
    if (isLastFor || (place.calls > 1 && !this.#mayRetry(place))) return null;
    return stopAt(place, 0);
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
    if (credential !== null) place.triedCredentials.push(credential);
    switch (verdict) {
      case "final":
        this.#attemptsLeft = 0;
        return;
      case "elsewhere":
        place.isExcluded = true;
        return;
      case "larger":
        place.isExcluded = true;
        this.#contextTokens = Math.max(this.#contextTokens, target.contextTokens ?? Infinity);
        return;
      case "credential":
        if (credential !== null) place.refusedCredentials.push(credential);
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

  /** Why no target was called at all: each is left alone for its failures. */
  refusal(): HeadgateError {
    const nowMs = this.#deps.nowMs();
    const { health } = this.#deps;
    const inMs = this.#places.map(({ target }) => health.target(target.name).availableAtMs(nowMs) - nowMs);
    const soonestMs = Math.max(RETRY_AFTER_MIN_MS, Math.min(...inMs));
    const names = this.#places.map(({ target }) => target.name).join(", ");
    return new HeadgateError(
      "target_unavailable",
      `${names} cannot be called for a moment: calls have failed of late, or the provider has asked for a pause. Nothing was called. Try again in ${Math.ceil(soonestMs / 1000)} s.`,
      { retryAfterMs: soonestMs },
    );
  }

  #nextOf(fallbacks: boolean): Stop | null {
    const untried = this.#untried(fallbacks);
    if (untried !== null) return stopAt(untried, 0);
    if (fallbacks || this.#untried(true) === null) {
      return this.#tried(fallbacks, this.#plan.policy.retries.backoffMaxMs) ?? this.#untriedSoon(fallbacks);
    }
    // A fallback may be called at once: for one of its own the route waits a moment at the most.
    return this.#attemptsLeft === 1 ? null : this.#tried(fallbacks, MOMENT_MS);
  }

  /** One that may be called within a moment, which is better than refusing. */
  #untriedSoon(fallbacks: boolean): Stop | null {
    const nowMs = this.#deps.nowMs();
    const soonMs = Math.min(nowMs + MOMENT_MS, this.#dueMs() - 1);
    const place = this.#untried(fallbacks, soonMs);
    if (place === null) return null;
    return stopAt(place, this.#deps.health.target(place.target.name).availableAtMs(nowMs) - nowMs);
  }

  /** `byMs`: when it may be called; `null`: now. */
  #untried(fallbacks: boolean, byMs: number | null = null): Place | null {
    const nowMs = this.#deps.nowMs();
    let crowded: Place | null = null;
    for (const place of this.#places) {
      const { target } = place;
      if (target.isFallback !== fallbacks || place.calls > 0 || place.isExcluded || !this.#isLargeEnough(target))
        continue;
      if (this.#deps.health.target(target.name).availableAtMs(nowMs) > (byMs ?? nowMs)) continue;
      if (this.#deps.hasRoom(target)) return place;
      crowded ??= place;
    }
    return crowded;
  }

  /** The one that may be called again soonest. */
  #tried(fallbacks: boolean, waitMsMax: number): Stop | null {
    const nowMs = this.#deps.nowMs();
    let soonest: Place | null = null;
    let soonestMs = Math.min(this.#dueMs() - LAST_MS, nowMs + waitMsMax);
    for (const place of this.#places) {
      const { target, calls, isExcluded, againAtMs } = place;
      if (target.isFallback !== fallbacks || isExcluded || calls === 0 || !this.#isLargeEnough(target)) continue;
      const atMs = Math.max(againAtMs, this.#deps.health.target(target.name).availableAtMs(nowMs));
      if (atMs > soonestMs || (atMs === soonestMs && soonest !== null)) continue;
      soonest = place;
      soonestMs = atMs;
    }
    if (soonest === null || !this.#mayRetry(soonest)) return null;
    return stopAt(soonest, Math.max(0, soonestMs - nowMs));
  }

  #again(place: Place, retryAfterMs: number | null): void {
    // Whichever credential is next: all that were not refused are equally welcome again.
    place.triedCredentials.splice(0, Infinity, ...place.refusedCredentials);
    const { retries } = this.#plan.policy;
    place.againAtMs = this.#deps.nowMs() + backoffMs(retries, place.failures, retryAfterMs, this.#deps.random);
  }

  /** A request that is itself a retry spends for that, too, once it needs more. */
  #mayRetry({ target }: Place): boolean {
    const { budgetPercent } = this.#plan.policy.retries;
    const health = this.#deps.health.target(target.name);
    const wasRetry = this.#isRetry;
    this.#isRetry = false;
    if (wasRetry && !health.spendRetry(budgetPercent, this.#deps.nowMs())) return false;
    return health.spendRetry(budgetPercent, this.#deps.nowMs());
  }

  #isLargeEnough({ contextTokens }: Target): boolean {
    return this.#contextTokens === 0 || (contextTokens !== null && contextTokens > this.#contextTokens);
  }

  #placeOf(name: string): Place | null {
    return this.#places.find(({ target }) => target.name === name) ?? null;
  }
}

const RETRY_AFTER_MIN_MS = 1_000;
/** With no more time than this left nobody is called. */
const LAST_MS = 2;
/** For so long a request waits for a target that is left alone; for longer it is refused at once. */
const MOMENT_MS = 1_000;

function stopAt({ target, triedCredentials }: Place, waitMs: number): Stop {
  return { target, waitMs, triedCredentials };
}
