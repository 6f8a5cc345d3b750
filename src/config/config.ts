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

/** How requests wait for a provider that answers as many as it may at a time. */
export interface QueueConfig {
  /** Requests of one tenant and priority that wait for one target. */
  readonly lengthMax: number;
  /** How long an interactive request may wait. */
  readonly waitMs: number;
  /** How long a batch request may wait. */
  readonly batchWaitMs: number;
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
  /** Silence after the provider's finish reason before the stream is taken as complete. */
  readonly endingMs: number;
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
  /** Models known to be there, besides the catalogue's; shown by `GET /v1/models`. */
  readonly models: readonly string[];
  readonly timeouts: Partial<TimeoutsConfig>;
  /** Calls at the same time from this process, of all models without a number of their own; 0: as many as come. */
  readonly concurrency: number;
  /** The same by model. */
  readonly modelConcurrency: Readonly<Record<string, number>>;
  /** What to do with a stream whose caller left: stop it, or read on for at most `drainMs` to learn its usage. */
  readonly callerGone: "cancel" | "drain";
  readonly drainMs: number;
}

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
  /** Chosen among by weight, of those that can serve the request. */
  readonly targets: readonly TargetConfig[];
  readonly timeouts: Partial<TimeoutsConfig>;
}

export interface TargetConfig {
  /** `provider/model`. */
  readonly model: string;
  /** Share of requests relative to the other targets; 0 takes none. Default 1. */
  readonly weight: number;
}

export interface PricesConfig {
  /**
   * A call of a model without a price: `allow` it with a flag in the ledger, `refuse` it, or `hold` and charge
   * `unknownModelHold` for it, flagged too.
   */
  readonly unknownModel: "allow" | "refuse" | "hold";
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
