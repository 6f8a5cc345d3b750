/**
 * How targets and credentials fare, by what became of this process's calls: who is left alone, who is probed, how long an
 * answer usually takes to begin, and how many calls may be made again. It outlives reloads of the configuration.
 *
 *   const call = health.target(name).begin(stream, nowMs);     // null: left alone, or its probes are under way
 *   … call.outputBegan(nowMs)                                  // where it is seen
 *   … call.ended(outcome, nowMs)                               // exactly once
 *
 * All times are monotonic milliseconds. What it decides costs a few comparisons; nothing waits here.
 */
import type { Config } from "../../config/config.ts";

export interface TargetsHealth {
  /** By `provider/model`. To be asked for anew by each request: one that was not asked for in a long while is forgotten. */
  target(name: string): TargetHealth;
  /** Of a provider, by its name in the configuration. */
  credentials(provider: string): CredentialsHealth;
  configure(rules: HealthRules): void;
  /** Of every target that was called, by name, for the operator. */
  standings(nowMs: number): readonly TargetHealthStanding[];
}

/** For the operator. Called on the request path: they must be cheap. */
export interface HealthEvents {
  /** Calls of a target fail, or its provider has asked for a long pause: it is left alone, and then probed. */
  leftAlone(target: string, reason: LeftAloneFor, forMs: number): void;
  /** Its probes have answered: it is called as usual. */
  calledAgain(target: string): void;
}

export type HealthRules = Pick<Config, "health">;

/** `closed`: called as usual. `open`: left alone. `half-open`: probed. */
export type BreakerState = "closed" | "open" | "half-open";

/** Calls are not let through. */
export interface LeftAlone {
  /** Calls of late have failed, or a 429 has said when to come back. */
  readonly reason: LeftAloneFor;
  /** When it is called or probed; in the past while its probes are under way. */
  readonly untilMs: number;
  /** After that, by few calls; else it is called as usual. */
  readonly isProbed: boolean;
}

export type LeftAloneFor = "failures" | "rate-limit";

export interface TargetHealth {
  /** When a call would be let through: `nowMs` if now; while its probes are under way, when they count as lost. */
  availableAtMs(nowMs: number): number;
  /**
   * The same for a request that no other target can answer: one that fails often, and still answers now and then, is
   * better than nobody. As above where it is down, and while a 429 has asked for a pause.
   */
  lastResortAtMs(nowMs: number): number;
  /** `null`: a call would be let through now, also for a request that others can answer. */
  leftAlone(nowMs: number): LeftAlone | null;
  /** A call begins, of a stream or a whole answer. Takes a probe's place where it is one. `null`: it may not be made now, not even as a last resort. */
  begin(stream: boolean, nowMs: number): CallInHealth | null;
  /** Before a call is made again or a hedge begins: takes it from the budget; `percent`: see `retries.budgetPercent`. */
  spendRetry(percent: number, nowMs: number): boolean;
  /** Calls that began in this second and the one before, for who slows down what is limited. */
  callsOfLate(nowMs: number): CallsOfLate;
  /** Calls under way and their latency, as one number: the smaller the better (peak-EWMA). 0: idle, and nothing is known. */
  load(nowMs: number): number;
  /** Until the first output, of 95 of 100 streams of late; `null`: too few to tell. */
  slowFirstOutputMs(nowMs: number): number | null;
  /** The same of whole answers, until their end. */
  slowAnswerMs(nowMs: number): number | null;
  /** The slowest whole answer of late; `null` as above. */
  slowestAnswerMs(nowMs: number): number | null;
}

export interface CallsOfLate {
  readonly calls: number;
  /** How many calls were limited within that time. */
  readonly limited: number;
  readonly spanMs: number;
}

export interface CallInHealth {
  /** Its first output has come: a probe's place is free again. May be left out; then `ended` says it. */
  outputBegan(nowMs: number): void;
  /** To be called once. */
  ended(outcome: CallOutcome, nowMs: number): void;
}

/**
 * What a call says about its target. `limited`: a 429, which asks for less and is no failure; where another credential is
 * left, it is that credential's and not the target's. `neutral`: nothing, because the caller was at fault or left, or it
 * was cancelled for another's sake.
 */
export type CallOutcome =
  | {
      readonly kind: "answered";
      /** From its beginning; `null`: a whole answer, of which only the end is seen. */
      readonly firstOutputMs: number | null;
      readonly totalMs: number;
    }
  /** `retryAfterMs`: what the provider asked for; it is left alone for so long, within bounds. */
  | { readonly kind: "failed"; readonly retryAfterMs: number | null }
  | { readonly kind: "limited"; readonly retryAfterMs: number | null }
  | { readonly kind: "neutral" };

export interface CredentialsHealth {
  /**
   * The next in turn of those that are not marked, without those `tried` by this request. Where all of these are marked,
   * the one whose mark ends first: a call that may fail is better than none. `null`: all were tried.
   */
  next(names: readonly string[], tried: readonly string[], nowMs: number): string | null;
  /** Whether it was refused or limited of late. */
  isMarked(name: string, nowMs: number): boolean;
  /** The provider refused it: 401, 402 or 403. */
  refused(name: string, nowMs: number): void;
  /** The provider limits its rate. */
  limited(name: string, retryAfterMs: number | null, nowMs: number): void;
  /** It was accepted for a call that began then: an older mark is taken back. */
  accepted(name: string, beganMs: number): void;
}

export interface TargetHealthStanding {
  readonly name: string;
  readonly state: BreakerState;
  readonly underWay: number;
  /** Of calls within the window of `failurePercent`. */
  readonly calls: number;
  readonly failures: number;
  /** Until it is called or probed again; `null`: it is not left alone. */
  readonly availableInMs: number | null;
  readonly leftAloneFor: LeftAloneFor | null;
}
