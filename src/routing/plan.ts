/** The boundary between routing and the exchange: a request's model name becomes an ordered list of targets. */
import type {
  CommitConfig,
  HedgeConfig,
  InvalidEvents,
  ModelCacheConfig,
  QueueWaitsConfig,
  RetriesConfig,
  TimeoutsConfig,
} from "../config/config.ts";
import type { Dialect, DialectName, RequestView, TargetFacts } from "../dialects/dialect.ts";

/** One model at one provider that can serve the request. */
export interface Target {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** `provider/model`, as records and headers show it. */
  readonly name: string;
  /** The dialect to speak with it. */
  readonly dialect: DialectName;
  readonly facts: TargetFacts;
  /** The gateway's, with the provider's, the alias's and its own laid over them in this order. */
  readonly timeouts: TimeoutsConfig;
  /** How long a request may wait for its turn there; resolved in the same order. */
  readonly queue: QueueWaitsConfig;
  /** One of the route's declared fallbacks: tried when none of the others can answer. */
  readonly isFallback: boolean;
  /** The model's context window in tokens; `null`: unknown. */
  readonly contextTokens: number | null;
}

/** What the route of a request decides besides its targets. */
export interface RoutePolicy {
  readonly retries: RetriesConfig;
  readonly commit: CommitConfig;
  readonly invalidEvents: InvalidEvents;
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
  readonly view: RequestView;
  /** The one that the caller speaks: a target that speaks it too is served by pass-through. */
  readonly dialect: Dialect;
  /** Whose request it is: prompts of different tenants are never alike. `null`: nobody's in particular. */
  readonly tenantId: string | null;
  /** Tags that the request itself demands of a target, besides its route. */
  readonly requires: readonly string[];
  /** Of the caller's key: what may be suggested when there is no such model. `null`: everything. */
  readonly modelAllowList: readonly string[] | null;
  /** What prices are looked up for, wall clock. */
  readonly atMs: number;
}

export interface ListedModel {
  /** What a caller writes in `model`. */
  readonly id: string;
  /** `headgate` for an alias, else the provider's name. */
  readonly ownedBy: string;
}
