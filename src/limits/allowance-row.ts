/** An allowance and its row. What stands in a row was checked by the operation that wrote it. */
import type { Database } from "../storage/schema.ts";
import type { Allowance } from "./allowance.ts";

export function toAllowance(row: Database["allowances"]): Allowance {
  return {
    id: row.id,
    name: row.name,
    scope: {
      kind: row.scope,
      tenantId: row.tenant_id,
      projectId: row.project_id,
      keyId: row.key_id,
      endUser: row.end_user,
    },
    meter: row.meter,
    limit: row.limit_amount,
    window: row.window_kind,
    timeZone: row.time_zone,
    burst: row.burst_amount,
    models: row.models === null ? null : (JSON.parse(row.models) as readonly string[]),
    operation: row.operation,
    mode: row.mode,
    policy: row.policy,
    alertPercents: JSON.parse(row.alert_percents) as readonly number[],
    createdAtMs: row.created_at_ms,
    disabledAtMs: row.disabled_at_ms,
  };
}

/** `generation`: of the change that writes it. */
export function toAllowanceRow(allowance: Allowance, generation: number): Database["allowances"] {
  return {
    id: allowance.id,
    generation,
    tenant_id: allowance.scope.tenantId,
    name: allowance.name,
    scope: allowance.scope.kind,
    project_id: allowance.scope.projectId,
    key_id: allowance.scope.keyId,
    end_user: allowance.scope.endUser,
    meter: allowance.meter,
    limit_amount: allowance.limit,
    window_kind: allowance.window,
    time_zone: allowance.timeZone,
    burst_amount: allowance.burst,
    models: allowance.models === null ? null : JSON.stringify(allowance.models),
    operation: allowance.operation,
    mode: allowance.mode,
    policy: allowance.policy,
    alert_percents: JSON.stringify(allowance.alertPercents),
    created_at_ms: allowance.createdAtMs,
    disabled_at_ms: allowance.disabledAtMs,
  };
}
