/** The boundary between routing and the exchange: a request's model name becomes an ordered list of targets. */
import type { CommitConfig, HedgeConfig, ModelCacheConfig, RetriesConfig, TimeoutsConfig } from "../config/config.ts";
import type { DialectName, Needs, Operation, TargetFacts } from "../dialects/dialect.ts";

/** One model at one provider that can serve the request. */
export interface Target {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** `provider/model`, as records and headers show it. */
  readonly name: string;
  /** The dialect to speak with it. */
  readonly dialect: DialectName;
  readonly facts: TargetFacts;
  /** Those of the alias and of the target in it, to be laid over the provider's. */
  readonly timeouts: Partial<TimeoutsConfig>;
  /** One of the route's declared fallbacks: tried when none of the others can answer. */
  readonly isFallback: boolean;
  /** The model's context window in tokens; `null`: unknown. */
  readonly contextTokens: number | null;
}

/** What the route of a request decides besides its targets. */
export interface RoutePolicy {
  readonly retries: RetriesConfig;
  readonly commit: CommitConfig;
  readonly hedge: HedgeConfig;
  readonly cache: ModelCacheConfig;
}

export interface Plan {
  /** As the caller wrote it. */
  readonly asked: string;
  /** Best first; never empty. The first is the one chosen, the others take its place when it cannot answer. */
  readonly targets: readonly Target[];
  readonly policy: RoutePolicy;
}

export interface PlanRequest {
  readonly model: string;
  readonly operation: Operation;
  /** The dialect the caller speaks: a target that speaks it too is served by pass-through. */
  readonly dialectIn: DialectName;
  readonly needs: Needs;
  /** Of the caller's key: what may be suggested when there is no such model. `null`: everything. */
  readonly modelAllowList: readonly string[] | null;
}

export interface ListedModel {
  /** What a caller writes in `model`. */
  readonly id: string;
  /** `headgate` for an alias, else the provider's name. */
  readonly ownedBy: string;
}

export interface Router {
  /** Throws `model_not_found` (with near names) or `unsupported_capability`. */
  plan(request: PlanRequest): Plan;
  /** Aliases first, then every known `provider/model`. */
  list(): readonly ListedModel[];
}
