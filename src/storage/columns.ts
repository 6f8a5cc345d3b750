/**
 * How records become rows: for each table an object with one reader per column, in the order in which a statement
 * binds them. The types make each object complete, so a new column that nobody fills does not compile.
 */
import type { Usage } from "../kernel/usage.ts";
import type { Hold, HoldExtension, LedgerEntry, RequestRecord } from "./records.ts";
import type { Database, UsageColumn } from "./schema.ts";

/** What every engine can bind. */
export type Bound = string | number | bigint | null;

export type ColumnReaders<Row, Subject> = { readonly [Name in keyof Row]: (subject: Subject) => Row[Name] };

type GrowingColumn = UsageColumn | "cost_nano_usd";

/** What an extension changes of a hold, but for `held_numbers`. */
export const growingColumns: ColumnReaders<Pick<Database["holds"], GrowingColumn>, HoldExtension> = {
  cost_nano_usd: (hold) => hold.heldCostNanoUsd,
  ...usageReaders((hold: HoldExtension) => hold.heldUsage),
};

/** All but what its process knows: who it is, and the numbers of accounts. */
export const holdColumns: ColumnReaders<Omit<Database["holds"], "instance_id" | "held_numbers">, Hold> = {
  attempt_id: (hold) => hold.attemptId,
  request_id: (hold) => hold.requestId,
  started_at_ms: (hold) => hold.startedAtMs,
  tenant_id: (hold) => hold.payer.tenantId,
  project_id: (hold) => hold.payer.projectId,
  key_id: (hold) => hold.payer.keyId,
  end_user: (hold) => hold.endUser,
  operation: (hold) => hold.operation,
  provider: (hold) => hold.provider,
  credential: (hold) => hold.credential,
  model_asked: (hold) => hold.modelAsked,
  model_target: (hold) => hold.modelTarget,
  price_version: (hold) => hold.priceVersion,
  ...growingColumns,
};

/** What an entry does not say by itself: a matter of the whole request, and of what a correction finds. */
type ContextColumn = "last_of_request" | "replaced_basis" | "charged_at_ms";

export const ledgerEntryColumns: ColumnReaders<Omit<Database["ledger_entries"], ContextColumn>, LedgerEntry> = {
  entry_id: (entry) => entry.entryId,
  kind: (entry) => entry.kind,
  attempt_id: (entry) => entry.attemptId,
  request_id: (entry) => entry.requestId,
  at_ms: (entry) => entry.atMs,
  tenant_id: (entry) => entry.payer.tenantId,
  project_id: (entry) => entry.payer.projectId,
  key_id: (entry) => entry.payer.keyId,
  end_user: (entry) => entry.endUser,
  operation: (entry) => entry.operation,
  provider: (entry) => entry.provider,
  credential: (entry) => entry.credential,
  model_asked: (entry) => entry.modelAsked,
  model_target: (entry) => entry.modelTarget,
  model_served: (entry) => entry.modelServed,
  provider_request_id: (entry) => entry.providerRequestId,
  price_version: (entry) => entry.priceVersion,
  basis: (entry) => entry.basis,
  unpriced: unpricedOf,
  estimated: (entry) => Number(entry.flags.includes("estimated")),
  recovered: (entry) => Number(entry.flags.includes("recovered")),
  cost_nano_usd: (entry) => entry.costNanoUsd,
  ...usageReaders((entry: LedgerEntry) => entry.usage),
};

/** What an entry adds to the number of charges without a price. */
export function unpricedOf({ kind, flags }: Pick<LedgerEntry, "kind" | "flags">): number {
  return kind === "charge" ? Number(flags.includes("unpriced")) : -Number(flags.includes("priced"));
}

export const requestColumns: ColumnReaders<Database["requests"], RequestRecord> = {
  request_id: (record) => record.requestId,
  started_at_ms: (record) => record.startedAtMs,
  tenant_id: (record) => record.payer?.tenantId ?? null,
  project_id: (record) => record.payer?.projectId ?? null,
  key_id: (record) => record.payer?.keyId ?? null,
  end_user: (record) => record.endUser,
  operation: (record) => record.operation,
  method: (record) => record.method,
  path: (record) => record.path,
  dialect_in: (record) => record.dialectIn,
  dialect_out: (record) => record.dialectOut,
  stream: (record) => Number(record.stream),
  model_asked: (record) => record.modelAsked,
  model_served: (record) => record.modelServed,
  provider: (record) => record.provider,
  status: (record) => record.status,
  ending: (record) => record.ending,
  finish_reason: (record) => record.finishReason,
  error_code: (record) => record.errorCode,
  attempts: (record) => record.attempts,
  trail: (record) => (record.trail.length === 0 ? null : JSON.stringify(record.trail)),
  deadline_us: (record) => record.deadlineUs,
  losses: (record) => (record.losses.length === 0 ? null : JSON.stringify(record.losses)),
  invalid_events: (record) => record.invalidEvents,
  reuse: (record) => record.reuse,
  saved_nano_usd: (record) => record.savedNanoUsd,
  cost_nano_usd: (record) => record.costNanoUsd,
  basis: (record) => record.basis,
  bytes_in: (record) => record.bytesIn,
  bytes_out: (record) => record.bytesOut,
  queue_us: (record) => record.queueUs,
  connect_us: (record) => record.connectUs,
  first_token_us: (record) => record.firstTokenUs,
  total_us: (record) => record.totalUs,
  output_tokens_per_second: (record) => record.outputTokensPerSecond,
  user_agent: (record) => record.userAgent,
  ...usageReaders((record: RequestRecord) => record.usage),
};

/** Column names in binding order. */
export function columnNames<Row, Subject>(columns: ColumnReaders<Row, Subject>): (keyof Row & string)[] {
  return Object.keys(columns) as (keyof Row & string)[];
}

/** A subject's row, for a query that is built each time. */
export function toRow<Row, Subject>(columns: ColumnReaders<Row, Subject>, subject: Subject): Row {
  return Object.fromEntries(columnNames(columns).map((name) => [name, columns[name](subject)])) as Row;
}

/** Each bucket is read by its name: V8 reads names that it meets in the source several times faster than those in a list. */
function usageReaders<Subject>(
  usageOf: (subject: Subject) => Usage,
): ColumnReaders<Record<UsageColumn, number>, Subject> {
  return {
    input_tokens: (subject) => usageOf(subject).inputTokens,
    cache_read_tokens: (subject) => usageOf(subject).cacheReadTokens,
    cache_write_5m_tokens: (subject) => usageOf(subject).cacheWrite5mTokens,
    cache_write_1h_tokens: (subject) => usageOf(subject).cacheWrite1hTokens,
    output_tokens: (subject) => usageOf(subject).outputTokens,
    reasoning_tokens: (subject) => usageOf(subject).reasoningTokens,
    audio_input_tokens: (subject) => usageOf(subject).audioInputTokens,
    audio_output_tokens: (subject) => usageOf(subject).audioOutputTokens,
    image_input_tokens: (subject) => usageOf(subject).imageInputTokens,
    image_output_tokens: (subject) => usageOf(subject).imageOutputTokens,
    tool_units: (subject) => usageOf(subject).toolUnits,
    search_units: (subject) => usageOf(subject).searchUnits,
  };
}
