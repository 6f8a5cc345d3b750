/** How rows become records again: the inverse of columns.ts. */
import { emptyUsage, usageBuckets } from "../kernel/usage.ts";
import type { Usage } from "../kernel/usage.ts";
import { toNanoUsd } from "../kernel/money.ts";
import { parseHeldAmounts } from "./held-columns.ts";
import { parseLosses, parseTrail } from "./json-columns.ts";
import type { Hold, LedgerEntry, LedgerFlag, RequestRecord } from "./records.ts";
import { usageColumns } from "./schema.ts";
import type { Database, UsageColumn } from "./schema.ts";

export function toUsage(row: Readonly<Record<UsageColumn, number>>): Usage {
  const usage = emptyUsage();
  for (const bucket of usageBuckets) usage[bucket] = row[usageColumns[bucket]];
  return usage;
}

export function toHold(row: Database["open_holds"]): Hold {
  return {
    attemptId: row.attempt_id,
    requestId: row.request_id,
    startedAtMs: row.started_at_ms,
    payer: { tenantId: row.tenant_id, projectId: row.project_id, keyId: row.key_id },
    endUser: row.end_user,
    operation: row.operation,
    provider: row.provider,
    credential: row.credential,
    modelAsked: row.model_asked,
    modelTarget: row.model_target,
    priceVersion: row.price_version,
    heldUsage: toUsage(row),
    heldCostNanoUsd: toNanoUsd(row.cost_nano_usd),
    heldAmounts: parseHeldAmounts(row.held_amounts),
  };
}

export function toLedgerEntry(row: Database["ledger_entries"]): LedgerEntry {
  const flags: LedgerFlag[] = [];
  if (row.unpriced === 1) flags.push("unpriced");
  if (row.unpriced === -1) flags.push("priced");
  if (row.estimated === 1) flags.push("estimated");
  if (row.recovered === 1) flags.push("recovered");
  return {
    entryId: row.entry_id,
    kind: row.kind,
    attemptId: row.attempt_id,
    requestId: row.request_id,
    atMs: row.at_ms,
    payer: { tenantId: row.tenant_id, projectId: row.project_id, keyId: row.key_id },
    endUser: row.end_user,
    operation: row.operation,
    provider: row.provider,
    credential: row.credential,
    modelAsked: row.model_asked,
    modelTarget: row.model_target,
    modelServed: row.model_served,
    providerRequestId: row.provider_request_id,
    usage: toUsage(row),
    costNanoUsd: toNanoUsd(row.cost_nano_usd),
    priceVersion: row.price_version,
    basis: row.basis,
    flags,
  };
}

export function toRequestRecord(row: Database["requests"]): RequestRecord {
  const { tenant_id: tenantId, project_id: projectId, key_id: keyId } = row;
  return {
    requestId: row.request_id,
    startedAtMs: row.started_at_ms,
    payer: tenantId === null || projectId === null || keyId === null ? null : { tenantId, projectId, keyId },
    endUser: row.end_user,
    operation: row.operation,
    method: row.method,
    path: row.path,
    dialectIn: row.dialect_in,
    dialectOut: row.dialect_out,
    stream: row.stream === 1,
    modelAsked: row.model_asked,
    modelServed: row.model_served,
    provider: row.provider,
    status: row.status,
    ending: row.ending,
    finishReason: row.finish_reason,
    errorCode: row.error_code,
    attempts: row.attempts,
    trail: parseTrail(row.trail),
    deadlineUs: row.deadline_us,
    losses: parseLosses(row.losses),
    invalidEvents: row.invalid_events,
    reuse: row.reuse,
    savedNanoUsd: toNanoUsd(row.saved_nano_usd),
    usage: toUsage(row),
    costNanoUsd: toNanoUsd(row.cost_nano_usd),
    basis: row.basis,
    bytesIn: row.bytes_in,
    bytesOut: row.bytes_out,
    queueUs: row.queue_us,
    connectUs: row.connect_us,
    firstTokenUs: row.first_token_us,
    totalUs: row.total_us,
    outputTokensPerSecond: row.output_tokens_per_second,
    userAgent: row.user_agent,
  };
}
