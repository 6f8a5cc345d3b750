/**
 * The tables, as every engine has them. Engine-specific DDL is in the engine's own migrations; queries outside an
 * engine's folder use this type only.
 *
 * Integers: a column of amounts (`isAmountColumn`) is a bigint in TypeScript, every other one a number.
 * Times ending in `_ms` are milliseconds since the Unix epoch. Truth values are 0 or 1. Lists and maps are JSON text.
 * Tenants, projects and keys are disabled or revoked, never deleted, so their ids in old rows always resolve.
 */
import type { Generated } from "kysely";
import type { DialectName, Operation } from "../dialects/dialect.ts";
import type { UsageBucket } from "../kernel/usage.ts";
import type { Ending, Reuse, SettlementBasis } from "./records.ts";

export interface Database {
  readonly control_version: ControlVersionTable;
  readonly tenants: TenantsTable;
  readonly projects: ProjectsTable;
  readonly api_keys: ApiKeysTable;
  readonly instances: InstancesTable;
  readonly held_accounts: HeldAccountsTable;
  readonly holds: HoldsTable;
  readonly open_holds: OpenHoldsView;
  readonly ledger_entries: LedgerEntriesTable;
  readonly unconfirmed_charges: UnconfirmedChargesTable;
  readonly requests: RequestsTable;
  readonly usage_hours: UsageHoursTable;
  readonly reuse_hours: ReuseHoursTable;
  readonly allowances: AllowancesTable;
  readonly allowance_overrides: AllowanceOverridesTable;
  readonly cache_purges: CachePurgesTable;
  readonly allowance_accounts: AllowanceAccountsTable;
  readonly allowance_owners: AllowanceOwnersTable;
  readonly allowance_grants: AllowanceGrantsTable;
  readonly allowance_alerts: AllowanceAlertsTable;
  readonly suspense_decisions: SuspenseDecisionsTable;
  readonly leases: LeasesTable;
}

/** Whether a column, or a result of that name, keeps the full 64 bits: `amount`, and names ending in `_amount` or `_nano_usd`. */
export function isAmountColumn(name: string): boolean {
  return name === "amount" || name.endsWith("_amount") || name.endsWith("_nano_usd");
}

/** The column of each usage bucket, in the order of `usageBuckets`. */
export const usageColumns = {
  inputTokens: "input_tokens",
  cacheReadTokens: "cache_read_tokens",
  cacheWrite5mTokens: "cache_write_5m_tokens",
  cacheWrite1hTokens: "cache_write_1h_tokens",
  outputTokens: "output_tokens",
  reasoningTokens: "reasoning_tokens",
  audioInputTokens: "audio_input_tokens",
  audioOutputTokens: "audio_output_tokens",
  imageInputTokens: "image_input_tokens",
  imageOutputTokens: "image_output_tokens",
  toolUnits: "tool_units",
  searchUnits: "search_units",
} as const;

export type UsageColumn = (typeof usageColumns)[UsageBucket];

type UsageCounts = Record<UsageColumn, number>;

/**
 * One row. Its generation rises in the same transaction as any change to a control table: tenants, projects, keys,
 * allowances, overrides, purges. Each row of those says in `generation` which change wrote it last.
 */
interface ControlVersionTable {
  id: 1;
  generation: number;
}

interface TenantsTable {
  id: string;
  generation: number;
  name: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}

interface ProjectsTable {
  id: string;
  generation: number;
  tenant_id: string;
  name: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}

interface ApiKeysTable {
  id: string;
  generation: number;
  tenant_id: string;
  project_id: string;
  name: string;
  /** SHA-256 of the key in hexadecimal. */
  hash: string;
  /** The first characters of the key, to recognise it by. */
  prefix: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
  /** JSON list of patterns; `null` allows every model. */
  model_allow_list: string | null;
  /** JSON object of strings; `null` when empty. */
  metadata: string | null;
}

/** A gateway process that may have holds. */
interface InstancesTable {
  id: string;
  started_at_ms: number;
}

/** What holds and ledger entries share. */
interface ChargeColumns extends UsageCounts {
  attempt_id: string;
  request_id: string;
  tenant_id: string;
  project_id: string;
  key_id: string;
  end_user: string | null;
  operation: Operation;
  provider: string;
  credential: string;
  model_asked: string;
  price_version: string | null;
  cost_nano_usd: bigint;
}

/** What holds of a process call an owner's account. */
interface HeldAccountsTable {
  number: Generated<number>;
  instance_id: string;
  owner_id: string;
  account_id: string;
}

/** Usage and cost are what is held: the worst case, or the slices granted so far. */
interface HoldsTable extends ChargeColumns {
  instance_id: string;
  started_at_ms: number;
  model_target: string;
  /** JSON object of amounts as texts by number of `held_accounts`; `null` when there are none. */
  held_numbers: string | null;
}

/** Holds to be read. */
interface OpenHoldsView extends HoldsTable {
  /** JSON list of `[ownerId, accountId, amount as text]`. */
  held_amounts: string;
}

interface LedgerEntriesTable extends ChargeColumns {
  /** Equal to `attempt_id` for a charge (checked by the table), which makes the primary key "one charge per attempt". */
  entry_id: string;
  kind: "charge" | "correction";
  at_ms: number;
  model_target: string;
  model_served: string;
  provider_request_id: string | null;
  basis: SettlementBasis;
  /** 1 for a charge without a price, -1 for a correction that gives it one, so that their sum counts what has none; else 0. */
  unpriced: number;
  estimated: number;
  recovered: number;
  /** 1 for the last charge of each request, so that their sum counts requests; else 0. */
  last_of_request: number;
  /** Of a correction: the basis that the attempt was on before. `null` for a charge. */
  replaced_basis: SettlementBasis | null;
  /** Of a correction: when its attempt was charged. `null` for a charge. */
  charged_at_ms: number | null;
}

/**
 * The charges on the basis `metered` or `worst-case` that no correction has put on another basis and that are still asked
 * about. Filled by triggers.
 */
interface UnconfirmedChargesTable {
  provider: string;
  entry_id: string;
}

interface RequestsTable extends UsageCounts {
  request_id: string;
  started_at_ms: number;
  tenant_id: string | null;
  project_id: string | null;
  key_id: string | null;
  end_user: string | null;
  operation: Operation | null;
  method: string;
  path: string;
  dialect_in: DialectName | null;
  dialect_out: DialectName | null;
  stream: number;
  model_asked: string | null;
  model_served: string | null;
  provider: string | null;
  status: number;
  ending: Ending;
  finish_reason: string | null;
  error_code: string | null;
  attempts: number;
  trail: string | null;
  deadline_us: number | null;
  losses: string | null;
  invalid_events: number;
  reuse: Reuse | null;
  saved_nano_usd: bigint;
  cost_nano_usd: bigint;
  basis: SettlementBasis;
  bytes_in: number;
  bytes_out: number;
  queue_us: number | null;
  connect_us: number | null;
  first_token_us: number | null;
  total_us: number;
  output_tokens_per_second: number | null;
  user_agent: string | null;
}

/**
 * Ledger entries summed by hour at write time. Hours are UTC and begin at `hour_ms`. Usage and cost stand in the hour of
 * their entry; requests and attempts in that of the charge, on the basis and with the price that they have by now.
 */
interface UsageHoursTable extends UsageCounts {
  hour_ms: number;
  tenant_id: string;
  project_id: string;
  key_id: string;
  provider: string;
  model_served: string;
  operation: Operation;
  /** Requests that had at least one attempt, under the provider and model of their last one. */
  requests: number;
  attempts: number;
  /** Attempts without a price. */
  unpriced: number;
  /** Attempts by settlement basis. */
  basis_reported: number;
  basis_drained: number;
  basis_metered: number;
  basis_worst_case: number;
  basis_none: number;
  cost_nano_usd: bigint;
}

/** Records with a `reuse`, by the hour in which the requests began; kept by a trigger. What a record does not name is empty. */
interface ReuseHoursTable {
  hour_ms: number;
  tenant_id: string;
  project_id: string;
  key_id: string;
  model_asked: string;
  provider: string;
  model_served: string;
  reuse: Reuse;
  requests: number;
  saved_nano_usd: bigint;
}

/** See limits/allowance.ts for what the columns mean. */
interface AllowancesTable {
  id: string;
  generation: number;
  tenant_id: string;
  name: string;
  scope: "tenant" | "project" | "key" | "end-user";
  project_id: string | null;
  key_id: string | null;
  end_user: string | null;
  meter: "money" | "tokens" | "requests" | "slots";
  limit_amount: bigint;
  window_kind: "minute" | "hour" | "day" | "week" | "month" | "lifetime";
  time_zone: string;
  burst_amount: bigint | null;
  /** JSON list of patterns. */
  models: string | null;
  operation: Operation | null;
  mode: "enforce" | "soft" | "shadow";
  policy: "expected" | "strict";
  /** JSON list of numbers. */
  alert_percents: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}

/** Another limit for the windows that begin in [from_ms, until_ms). Those of one allowance never overlap. */
interface AllowanceOverridesTable {
  id: string;
  generation: number;
  allowance_id: string;
  from_ms: number;
  until_ms: number;
  limit_amount: bigint;
  created_at_ms: number;
  /** Taken back: no longer counts. */
  revoked_at_ms: number | null;
}

/** Cached answers that are older are not given any more; `null`: of every tenant, of every model. Never changed. */
interface CachePurgesTable {
  id: string;
  generation: number;
  tenant_id: string | null;
  /** As it is asked for, or as `provider/model` served. */
  model: string | null;
  purged_at_ms: number;
}

/** Made by the first draw. `limit_amount` follows the allowance and its overrides; of a rate it is the burst. */
interface AllowanceAccountsTable {
  account_id: string;
  allowance_id: string;
  subject: string;
  window_start_ms: number;
  window_end_ms: number | null;
  limit_amount: bigint;
  spent_amount: bigint;
  granted_amount: bigint;
  suspense_amount: bigint;
  /** Rates: until when `spent_amount` has drained. */
  drained_at_ms: number;
  /** Requests that processes refused for want of room here, or would have in another mode, as far as they have reported. */
  refusals: number;
  updated_at_ms: number;
}

interface AllowanceOwnersTable {
  owner_id: string;
  instance_id: string;
  lease_until_ms: number;
  /** 1: its lease ended, or it finished; it gets nothing more. */
  fenced: number;
  /**
   * JSON list of `[accountId, amount as text]`: what its requests held when it last said so. `null`: a process that knows
   * the first version of the schema only has never said.
   */
  held_amounts: string | null;
}

interface AllowanceGrantsTable {
  owner_id: string;
  account_id: string;
  /** Granted and not yet settled or given back. */
  amount: bigint;
  /** Of the last operation, and what it granted (a return: zero). */
  sequence: number;
  last_amount: bigint;
  /** 1: another owner needs what is idle of it. */
  recalled: number;
  /** 1: its amount counts in the account's `suspense_amount` instead of `granted_amount`. */
  suspended: number;
}

/** A threshold that an account has passed, and what became of telling the webhook. */
interface AllowanceAlertsTable {
  account_id: string;
  percent: number;
  /** What the webhook knows it by, the same in every try. */
  id: string;
  allowance_id: string;
  spent_amount: bigint;
  limit_amount: bigint;
  raised_at_ms: number;
  /** When the webhook accepted it. */
  delivered_at_ms: number | null;
  tries: number;
  /** `null`: not tried (any more): there was no webhook, it is delivered, or it is given up. */
  next_try_at_ms: number | null;
  /** Why the last try failed. */
  last_failure: string | null;
}

/** What an operator decided about an amount in suspense. Never changed. */
interface SuspenseDecisionsTable {
  id: string;
  allowance_id: string;
  account_id: string;
  owner_id: string;
  amount: bigint;
  /** `release`: it was not spent and is available again; `spend`: it counts as spent. */
  decision: "release" | "spend";
  reason: string;
  decided_at_ms: number;
}

/** Background work that one process at a time does. */
interface LeasesTable {
  name: string;
  holder: string;
  until_ms: number;
}
