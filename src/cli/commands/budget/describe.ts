/** Allowances as lists and scripts show them. Amounts in JSON are exact decimal text, whose unit stands beside them. */
import type { Allowance } from "../../../limits/allowance.ts";
import { decimalAmount, formatAmount, unitOf } from "../../../limits/amount-text.ts";
import { hasTimeZone } from "../../../limits/operations/terms.ts";
import { isoTime } from "../../values/time-text.ts";
import type { Names } from "../tenancy/names.ts";
import { countsEach, renderScope } from "./scope.ts";

export function describeAllowance(allowance: Allowance, names: Names): Readonly<Record<string, unknown>> {
  const { scope, meter, burst } = allowance;
  return {
    id: allowance.id,
    name: allowance.name,
    state: stateOf(allowance),
    tenant: { id: scope.tenantId, name: names.tenant(scope.tenantId) },
    scope: {
      kind: scope.kind,
      each: countsEach(scope),
      project: scope.projectId === null ? null : { id: scope.projectId, name: names.project(scope.projectId) },
      key: scope.keyId === null ? null : { id: scope.keyId, name: names.key(scope.keyId) },
      endUser: scope.endUser,
    },
    meter,
    unit: unitOf(meter),
    limit: decimalAmount(meter, allowance.limit),
    window: allowance.window,
    timeZone: hasTimeZone(allowance) ? allowance.timeZone : null,
    burst: burst === null ? null : decimalAmount(meter, burst),
    models: allowance.models,
    operation: allowance.operation,
    mode: allowance.mode,
    policy: allowance.policy,
    alerts: allowance.alertPercents,
    createdAt: isoTime(allowance.createdAtMs),
    disabledAt: isoTime(allowance.disabledAtMs),
  };
}

/** `$100.00 per month in Europe/Berlin`, `60 requests per minute, at most 10 at once`, `8 slots`. */
export function renderLimit(allowance: Allowance): string {
  const { meter, window, limit } = allowance;
  const burst = limit === 0n ? null : allowance.burst;
  const amount = formatAmount(meter, limit);
  if (meter === "slots") return amount;
  const per = window === "lifetime" ? "for a lifetime" : `per ${window}`;
  const where = hasTimeZone(allowance) ? ` in ${allowance.timeZone}` : "";
  const atOnce = burst === null ? "" : `, at most ${formatAmount(meter, burst)} at once`;
  return `${amount} ${per}${where}${atOnce}`;
}

/** Everything that it says, in one line. */
export function renderTerms(allowance: Allowance, names: Names): string {
  const { meter, models, operation, mode, policy, alertPercents } = allowance;
  const parts = [
    renderLimit(allowance),
    `${renderScope(allowance, names)} of ${names.tenant(allowance.scope.tenantId)}`.replace(/^tenant of /, "tenant "),
    ...(models === null ? [] : [`models ${models.join(", ")}`]),
    ...(operation === null ? [] : [`operation ${operation}`]),
    meter === "money" || meter === "tokens" ? `${mode}, ${policy}` : mode,
    ...(alertPercents.length === 0 ? [] : [`alerts at ${alertPercents.map((percent) => `${percent} %`).join(", ")}`]),
  ];
  return parts.join("; ");
}

export function stateOf({ disabledAtMs }: Allowance): "enabled" | "disabled" {
  return disabledAtMs === null ? "enabled" : "disabled";
}
