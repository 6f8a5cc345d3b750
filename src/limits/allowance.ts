/**
 * An allowance: how much of one meter one scope may use in one window. What it says is here; its books are kept by the
 * bank (storage/escrow/bank.ts), one account for each subject and window.
 *
 * Three regimes follow from meter and window:
 *   slots    requests at the same time; given back when a request ends
 *   rate     requests or tokens per minute or hour: drains continuously, `burst` at once at the most; refused with 429
 *   budget   everything else: counted in calendar windows of a time zone or for a lifetime; refused with 402
 */
import type { Operation } from "../dialects/dialect.ts";
import type { Amount } from "../storage/escrow/bank.ts";

export type Meter = "money" | "tokens" | "requests" | "slots";

export type AllowanceWindow = "minute" | "hour" | "day" | "week" | "month" | "lifetime";

export type Regime = "budget" | "rate" | "slots";

/** `enforce` refuses; `soft` warns only; `shadow` counts what it would have refused and tells only the operator. */
export type AllowanceMode = "enforce" | "soft" | "shadow";

/**
 * What is held for a request. `expected`: input and a first slice of output, which grows while the answer does.
 * `strict`: the most that the request can cost, so that the limit cannot be passed at all.
 */
export type EstimatePolicy = "expected" | "strict";

/**
 * Whom it counts. Without an id (`projectId`, `keyId`, `endUser` are `null` at the level of the scope) it counts each
 * project, key or end user of the levels above apart from the others.
 */
export interface AllowanceScope {
  readonly kind: "tenant" | "project" | "key" | "end-user";
  readonly tenantId: string;
  readonly projectId: string | null;
  readonly keyId: string | null;
  readonly endUser: string | null;
}

export interface Allowance {
  readonly id: string;
  /** Unique within the tenant. */
  readonly name: string;
  readonly scope: AllowanceScope;
  readonly meter: Meter;
  /** In the meter's unit: nano-dollars, tokens, requests, slots. Not negative. */
  readonly limit: Amount;
  /** `lifetime` for slots. */
  readonly window: AllowanceWindow;
  /** IANA name. Windows from days to months begin at midnight there, weeks on Monday. */
  readonly timeZone: string;
  /** Rates only: the most at once. `null`: the limit itself. */
  readonly burst: Amount | null;
  /** Patterns (`*` matches any run of characters) of the model asked for or its target `provider/model`; `null`: all. */
  readonly models: readonly string[] | null;
  readonly operation: Operation | null;
  readonly mode: AllowanceMode;
  readonly policy: EstimatePolicy;
  /** Percent of the limit at which an alert is raised, once a window each. */
  readonly alertPercents: readonly number[];
  readonly createdAtMs: number;
  /** `null`: in force. */
  readonly disabledAtMs: number | null;
}

export function regimeOf(meter: Meter, window: AllowanceWindow): Regime {
  if (meter === "slots") return "slots";
  return meter !== "money" && (window === "minute" || window === "hour") ? "rate" : "budget";
}
