/**
 * The checked configuration, as the rest of the gateway sees it: immutable, every default filled in, every secret
 * resolved. `options/` declares each option once; this is the shape it yields. A reload makes a new one.
 */
export interface Config {
  readonly server: ServerConfig;
  readonly storage: StorageConfig;
  readonly limits: LimitsConfig;
  readonly budgets: BudgetsConfig;
  readonly queue: QueueConfig;
  readonly alerts: AlertsConfig;
  readonly timeouts: TimeoutsConfig;
  readonly retries: RetriesConfig;
  readonly health: HealthConfig;
  readonly idempotency: IdempotencyConfig;
  readonly cache: CacheConfig;
  /** By the name used in `provider/model`; usually the catalogue's id. */
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  /** Aliases that callers may ask for. */
  readonly models: Readonly<Record<string, ModelConfig>>;
  readonly prices: PricesConfig;
  readonly telemetry: TelemetryConfig;
}

export interface ServerConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long requests in flight may go on after SIGTERM. */
  readonly shutdownGraceMs: number;
  /** Longest silence on a stream before a comment is sent; 0: none is. */
  readonly heartbeatMs: number;
}

export interface StorageConfig {
  readonly dataDir: string;
  /** `process` survives the death of the process, `power` also the loss of power (a disk sync per commit). */
  readonly durability: "process" | "power";
  /** URL of the database that gateways share; `null`: the store is a file in `dataDir`. */
  readonly postgres: Secret | null;
  /** Connections to it that this process may have open. */
  readonly postgresConnections: number;
}

export interface LimitsConfig {
  readonly bodyBytes: number;
  /** Of the bodies of all open requests together. */
  readonly bufferedBytes: number;
  /** Of a whole (non-streaming) answer of a provider. */
  readonly responseBytes: number;
  /** Of all answers that are held in this process together. */
  readonly heldBytes: number;
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly jsonDepth: number;
  readonly connections: number;
  /** Requests in flight in this process; above it requests are refused with 503. */
  readonly concurrentRequests: number;
  /** One SSE event of a provider. */
  readonly streamEventBytes: number;
  /** What may wait for a slow reader of a stream before its provider is paused. */
  readonly streamBufferBytes: number;
  readonly connectionsPerProvider: number;
}

/** How this process holds money and rates. The allowances themselves are kept in the store. */
export interface BudgetsConfig {
  /** Tokens of output that a stream holds at a time where an allowance's policy is `expected`. */
  readonly outputSliceTokens: number;
  /** How long this process may be out of touch with the store before what it was granted is taken away. */
  readonly leaseMs: number;
  /** How long a request waits for what other processes hold idle before it is refused. */
  readonly recallWaitMs: number;
}

/** How long requests may wait for a provider that answers as many as it may at a time. */
export interface QueueWaitsConfig {
  /** Of interactive requests. */
  readonly waitMs: number;
  /** Of batch requests. */
  readonly batchWaitMs: number;
}

/** How they wait. */
export interface QueueConfig extends QueueWaitsConfig {
  /** Requests of one tenant and priority that wait for one target. */
  readonly lengthMax: number;
  /** Of a saturated target's service: what batch requests get while interactive ones wait. */
  readonly batchPercent: number;
  /** By tenant's name: its share of a saturated target, relative to the others'. Default 1. */
  readonly weights: Readonly<Record<string, number>>;
}

/** Whom to tell that an allowance has passed one of its alert thresholds, besides the log. */
export interface AlertsConfig {
  readonly webhookUrl: string | null;
  /** `whsec_` and base64; `null` only without `webhookUrl`. */
  readonly webhookSecret: Secret | null;
}

export interface TimeoutsConfig {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  /**
   * How long the first output is waited for at the least before another target is tried, where there is one. A target
   * that usually takes longer is given longer.
   */
  readonly switchMs: number;
  /** Silence after the provider's finish reason before the stream is taken as complete. */
  readonly endingMs: number;
}

/** How calls that failed are made again, at the same target or at another. */
export interface RetriesConfig {
  /** Calls that one request may cause in all, hedges included; 1: no second one. */
  readonly attemptsMax: number;
  /** The wait before the first call of the same target again is drawn between 0 and this; it doubles with each. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Calls made again (and hedges), relative to a target's requests of late. */
  readonly budgetPercent: number;
}

/** When a target is left alone because its calls fail, by what this process has seen. */
export interface HealthConfig {
  /** Failures in a row after which a target is left alone. */
  readonly failuresInRow: number;
  /** Share of failed calls within `windowMs` after which it is left alone. */
  readonly failurePercent: number;
  readonly windowMs: number;
  /** How long it is left alone at first; doubles with each probe that fails, up to `openMaxMs`. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Probes at the same time once that is over. */
  readonly probes: number;
  /** Whether calls at the same time are bounded by how a target's latency answers to them. */
  readonly adaptiveConcurrency: "on" | "off";
}

export interface IdempotencyConfig {
  /** How long the answer of a request with an `Idempotency-Key` is kept; 0: such keys are not heeded. */
  readonly retentionMs: number;
  /** Largest answer that is kept. */
  readonly answerBytes: number;
}

/** Of answers, for routes and requests that ask for it. */
export interface CacheConfig {
  /** Of all cached answers together; 0: no answer is kept. */
  readonly sizeBytes: number;
  /** Of one answer. */
  readonly answerBytes: number;
  /** `provider/model` or alias that turns requests of `mode: semantic` into vectors; `null`: there are none. */
  readonly embeddings: string | null;
}

export interface ProviderConfig {
  /** Id in the provider catalogue, or `openai-compatible` / `anthropic-compatible` for any other endpoint. */
  readonly kind: string;
  /** Overrides the catalogue's. Without trailing slash. */
  readonly baseUrl: string | null;
  /** Taken in turn. The loader leaves it never empty: without a key it has one credential whose key is `null`. */
  readonly credentials: readonly CredentialConfig[];
  /** Sent with every call, in addition to the catalogue's. */
  readonly headers: Readonly<Record<string, string>>;
  /** Models known to be there, besides the catalogue's; shown by `GET /v1/models`. Each once. */
  readonly models: readonly ProviderModelConfig[];
  readonly timeouts: Partial<TimeoutsConfig>;
  readonly queue: Partial<QueueWaitsConfig>;
  /** What is true of it by policy, e.g. `eu`: routes and requests may require tags. */
  readonly tags: readonly string[];
  /** Calls at the same time from this process, of all models without a number of their own; 0: as many as come. */
  readonly concurrency: number;
  /** The same by model. */
  readonly modelConcurrency: Readonly<Record<string, number>>;
  /** What to do with a stream whose caller left: stop it, or read on for at most `drainMs` to learn its usage. */
  readonly callerGone: "cancel" | "drain";
  readonly drainMs: number;
}

/** What the operator knows of a model; wins over the catalogue. */
export interface ProviderModelConfig {
  /** The provider's own. */
  readonly name: string;
  /** `null`: as the catalogue says. */
  readonly contextTokens: number | null;
  /** Of one answer; `null`: as the catalogue says. */
  readonly maxOutputTokens: number | null;
  /** Besides what the catalogue knows it not to do. */
  readonly lacks: readonly Capability[];
}

/** What a request may need of a model: the names of the dialects' `Needs`. */
export type Capability =
  | "tools"
  | "parallelTools"
  | "images"
  | "audio"
  | "documents"
  | "jsonSchema"
  | "reasoning"
  | "logprobs"
  | "choices";

export interface CredentialConfig {
  /** Shown in records instead of the key. */
  readonly name: string;
  readonly key: Secret | null;
}

/** A resolved secret that cannot be printed by accident: JSON, string conversion and inspection give `[secret]`. */
export interface Secret {
  reveal(): string;
  /** Where it came from, e.g. `env:OPENAI_API_KEY`. */
  readonly reference: string;
}

export interface ModelConfig {
  readonly description: string | null;
  /** Equal alternatives: one is chosen by `balance` of those that can serve the request, the others stand in for it. */
  readonly targets: readonly TargetConfig[];
  /** Tried in this order when none of `targets` can answer: declared acceptable, though perhaps of another quality. */
  readonly fallbacks: readonly TargetConfig[];
  /** `least-loaded`: by outstanding calls and latency. `sticky`: the same beginning of a prompt, the same target. */
  readonly balance: "weighted" | "least-loaded" | "sticky";
  /** Tags that a target must have to serve the alias. */
  readonly requires: readonly string[];
  /** A dearer target does not serve the alias. */
  readonly priceCeiling: PriceCeilingConfig;
  readonly timeouts: Partial<TimeoutsConfig>;
  readonly queue: Partial<QueueWaitsConfig>;
  readonly retries: Partial<RetriesConfig>;
  readonly commit: CommitConfig;
  readonly invalidEvents: InvalidEvents;
  readonly hedge: HedgeConfig;
  readonly cache: ModelCacheConfig;
}

/** What becomes of a stream with an event that cannot be read: it breaks, or it goes on without the event. */
export type InvalidEvents = "break" | "skip";

export interface TargetConfig {
  /** `provider/model`. */
  readonly model: string;
  /** Share of requests relative to the other targets; 0 takes none. Default 1. Of fallbacks it does not count. */
  readonly weight: number;
  /** Besides the provider's. */
  readonly tags: readonly string[];
  readonly timeouts: Partial<TimeoutsConfig>;
  readonly queue: Partial<QueueWaitsConfig>;
}

/** Dollars per million tokens, as decimal text; `null`: any. */
export interface PriceCeilingConfig {
  readonly input: string | null;
  readonly output: string | null;
}

/** Until when a stream's attempt may be replaced without the caller seeing it, and what follows when it breaks later. */
export interface CommitConfig {
  /** `window`: after so much output or time. `complete`: when the provider has finished. */
  readonly at: "first-output" | "window" | "complete";
  readonly windowTokens: number;
  readonly windowMs: number;
  /** `continue`: by another attempt, where that can be done without contradiction; else the error. */
  readonly whenBroken: "error" | "continue";
}

/** A second call beside one that is slow to begin. */
export interface HedgeConfig {
  readonly mode: "off" | "on";
  /** How long the first output is waited for; 0: as long as 95 of 100 of the target's calls took of late. */
  readonly afterMs: number;
}

export interface ModelCacheConfig {
  /**
   * `exact`: a request that is the same in all that matters is answered from the cache; `on-request`: if it asks for it;
   * `semantic`: also one whose last message means the same.
   */
  readonly mode: "off" | "on-request" | "exact" | "semantic";
  readonly ttlMs: number;
  /** Cosine of two messages from which on they count as the same; 0: not set, which `semantic` does not allow. */
  readonly threshold: number;
}

export interface PricesConfig {
  /**
   * A call of a model without a price: `allow` it with a flag in the ledger, `refuse` it, or `hold` and charge
   * `unknownModelHold` for it, flagged too. `allow-unbudgeted`: allow it where no budget of money applies, else refuse it.
   */
  readonly unknownModel: "allow-unbudgeted" | "allow" | "refuse" | "hold";
  /** Dollars per request as decimal text. */
  readonly unknownModelHold: string;
  /** In what else commands show money. Amounts are held, limited and stored in dollars. */
  readonly currency: CurrencyConfig;
  /** By `provider/model`; wins over the catalogue. */
  readonly overrides: Readonly<Record<string, PriceOverride>>;
}

export interface CurrencyConfig {
  /** ISO 4217, e.g. `EUR`; `null`: dollars only. */
  readonly code: string | null;
  /** What one dollar is worth in it, as decimal text; `null` only without `code`. */
  readonly perUsd: string | null;
}

/** Dollars as decimal text: per million tokens; `tool` and `search` per call, `request` per request. */
export interface PriceRates {
  readonly input: string | null;
  readonly output: string | null;
  readonly cacheRead: string | null;
  readonly cacheWrite5m: string | null;
  readonly cacheWrite1h: string | null;
  readonly reasoning: string | null;
  readonly audioInput: string | null;
  readonly audioOutput: string | null;
  readonly imageInput: string | null;
  readonly imageOutput: string | null;
  readonly tool: string | null;
  readonly search: string | null;
  readonly request: string | null;
}

/** Where they differ from the rates of shorter requests. */
export interface LongContextRates extends PriceRates {
  /** Input tokens, cached ones included, beyond which they hold for the whole request. */
  readonly above: number;
}

export interface RateCard extends PriceRates {
  readonly input: string;
  readonly output: string;
  /** In rising order of `above`. */
  readonly longContext: readonly LongContextRates[];
}

export interface DatedPrice extends RateCard {
  /** First day, UTC: `2026-12-01`. */
  readonly from: string | null;
  /** By the tier's name: `flex`, `priority`, `batch`. */
  readonly serviceTiers: Readonly<Record<string, RateCard>>;
}

/** From `from` on, or always; before it the catalogue's price holds. */
export interface PriceOverride extends DatedPrice {
  /** What it changes to, in order of days. */
  readonly later: readonly LaterPrice[];
}

export interface LaterPrice extends DatedPrice {
  readonly from: string;
}

export interface TelemetryConfig {
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly logFormat: "pretty" | "json";
}
