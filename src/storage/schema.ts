/**
 * The tables, as every engine has them. Engine-specific DDL is in the engine's own migrations; queries outside an
 * engine's folder use this type only.
 *
 * Integers: a column whose name ends in `_nano_usd` is a bigint in TypeScript, every other integer a number.
 * Times ending in `_ms` are milliseconds since the Unix epoch. Truth values are 0 or 1. Lists and maps are JSON text.
 * Tenants, projects and keys are disabled or revoked, never deleted, so their ids in old rows always resolve.
 */
import type { DialectName, Operation } from "../dialects/dialect.ts";
import type { UsageBucket } from "../kernel/usage.ts";
import type { Ending, SettlementBasis } from "./records.ts";

export interface Database {
  readonly control_version: ControlVersionTable;
  readonly tenants: TenantsTable;
  readonly projects: ProjectsTable;
  readonly api_keys: ApiKeysTable;
  readonly instances: InstancesTable;
  readonly holds: HoldsTable;
  readonly ledger_entries: LedgerEntriesTable;
  readonly unconfirmed_charges: UnconfirmedChargesTable;
  readonly requests: RequestsTable;
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

/** One row. Its generation rises in the same transaction as any change to tenants, projects and keys. */
interface ControlVersionTable {
  id: 1;
  generation: number;
}

interface TenantsTable {
  id: string;
  name: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}

interface ProjectsTable {
  id: string;
  tenant_id: string;
  name: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}

interface ApiKeysTable {
  id: string;
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

/** Usage and cost are the worst case. */
interface HoldsTable extends ChargeColumns {
  instance_id: string;
  started_at_ms: number;
  model_target: string;
}

interface LedgerEntriesTable extends ChargeColumns {
  /** Equal to `attempt_id` for a charge (checked by the table), which makes the primary key "one charge per attempt". */
  entry_id: string;
  kind: "charge" | "correction";
  at_ms: number;
  model_served: string;
  provider_request_id: string | null;
  basis: SettlementBasis;
  unpriced: number;
  estimated: number;
  recovered: number;
}

/** The charges on the basis `metered` or `worst-case` that have no correction and are still asked about. Filled by triggers. */
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
  losses: string | null;
  invalid_events: number;
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
