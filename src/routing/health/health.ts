/**
 * How targets and credentials fare, by what became of this process's calls: who is left alone, who is probed, how long an
 * answer usually takes to begin, and how many calls may be made again. It outlives reloads of the configuration.
 *
 *   const call = health.target(name).begin(nowMs);     // null: left alone, or its probes are under way
 *   … call.ended(outcome, nowMs)                       // exactly once
 *
 * All times are monotonic milliseconds. What it decides costs a few comparisons; nothing waits here.
 */
import type { HealthConfig, RetriesConfig } from "../../config/config.ts";

export interface TargetsHealth {
  /** Always the same one for a name: `provider/model`. */
  target(name: string): TargetHealth;
  /** Of a provider, by its name in the configuration. */
  credentials(provider: string): CredentialsHealth;
  configure(config: HealthRules): void;
  /** Of every target that was called, for the operator. */
  standings(nowMs: number): readonly TargetHealthStanding[];
}

export interface HealthRules {
  readonly health: HealthConfig;
  readonly retries: RetriesConfig;
}

/** `closed`: called as usual. `open`: left alone. `half-open`: probed. */
export type BreakerState = "closed" | "open" | "half-open";

export interface TargetHealth {
  /** When a call would be let through: `nowMs` or earlier if now; `Infinity` while its probes are under way. */
  availableAtMs(nowMs: number): number;
  /** A call begins, and takes a probe's place where it is one. `null`: it may not be made now. */
  begin(nowMs: number): CallInHealth | null;
  /** Before a call is made again or a hedge begins: takes it from the budget; `percent`: see `retries.budgetPercent`. */
  spendRetry(percent: number, nowMs: number): boolean;
  /** Calls under way and their latency, as one number: the smaller the better (peak-EWMA). 0: nothing is known. */
  load(nowMs: number): number;
  /** Until the first output, of 95 of 100 calls of late; `null`: too few to tell. */
  slowFirstOutputMs(nowMs: number): number | null;
}

export interface CallInHealth {
  /** To be called once. */
  ended(outcome: CallOutcome, nowMs: number): void;
}

/**
 * What a call says about its target. `limited`: a 429, which asks for less and is no failure. `neutral`: nothing, because
 * the caller was at fault or left, or it was cancelled for another's sake.
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
   * The next in turn of those that are not marked, without those `tried` by this request. `null`: none is left. Where all
   * are marked, the one whose mark ends first is taken once that is over.
   */
  next(names: readonly string[], tried: readonly string[], nowMs: number): string | null;
  /** The provider refused it: 401, 402 or 403. */
  refused(name: string, nowMs: number): void;
  /** The provider limits its rate. */
  limited(name: string, retryAfterMs: number | null, nowMs: number): void;
  /** It was accepted: a mark is taken back. */
  accepted(name: string): void;
}

export interface TargetHealthStanding {
  readonly name: string;
  readonly state: BreakerState;
  readonly underWay: number;
  /** Of calls within the window of `failurePercent`. */
  readonly calls: number;
  readonly failures: number;
  /** Until it is probed; `null`: it is not left alone. */
  readonly probedInMs: number | null;
}
