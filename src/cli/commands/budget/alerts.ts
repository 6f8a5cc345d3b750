/** Thresholds that were passed, and what became of telling the webhook. */
import { type Alert, listAlerts, stateOfDelivery } from "../../../limits/alerts/alert.ts";
import { decimalAmount, formatBareAmount, unitOf } from "../../../limits/amount-text.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";
import { openExistingRecords } from "../../workspace.ts";
import { type Names, readNames } from "../tenancy/names.ts";
import { type BudgetFilterOptions, queryOf, readAllowances } from "./reference.ts";
import { renderSubject } from "./scope.ts";

export interface AlertsOptions extends BudgetFilterOptions {
  readonly limit: number;
}

export async function list(invocation: Invocation<AlertsOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { options, output } = invocation;
  const { db } = records;
  const alerts = await listAlerts(db, { ...(await queryOf(db, options)), limit: options.limit });
  const names = await readNames(db);
  const allowanceOf = await readAllowances(db);
  const subjectOf = ({ allowance, subject }: Alert): string => renderSubject(allowanceOf(allowance.id), subject, names);
  output.result({ alerts: alerts.map((alert) => describe(alert, subjectOf(alert), names)) }, () =>
    renderAlerts(alerts, subjectOf, names),
  );
  return exitCodes.ok;
}

function renderAlerts(alerts: readonly Alert[], subjectOf: (alert: Alert) => string, names: Names): string {
  if (alerts.length === 0) return "No threshold was passed.\n";
  return renderTable(alerts, [
    { title: "raised (UTC)", cell: ({ raisedAtMs }) => formatMinute(raisedAtMs) },
    { title: "tenant", cell: ({ allowance }) => names.tenant(allowance.tenantId) },
    { title: "allowance", cell: ({ allowance }) => allowance.name },
    { title: "of", cell: subjectOf },
    { title: "passed", cell: ({ percent }) => `${percent} %`, align: "right" },
    { title: "spent", cell: ({ allowance, spent }) => formatBareAmount(allowance.meter, spent), align: "right" },
    { title: "limit", cell: ({ allowance, limit }) => formatBareAmount(allowance.meter, limit), align: "right" },
    { title: "webhook", cell: renderDelivery },
  ]);
}

function renderDelivery({ delivery }: Alert): string {
  const { lastFailure, nextTryAtMs } = delivery;
  const next = nextTryAtMs === null ? "" : `, next try ${formatMinute(nextTryAtMs)}`;
  return `${stateOfDelivery(delivery)}${next}${lastFailure === null ? "" : `: ${lastFailure}`}`;
}

function describe(alert: Alert, subjectName: string, names: Names): Readonly<Record<string, unknown>> {
  const { allowance, subject, delivery } = alert;
  return {
    id: alert.id,
    tenant: { id: allowance.tenantId, name: names.tenant(allowance.tenantId) },
    allowance: { id: allowance.id, name: allowance.name },
    account: alert.accountId,
    subject: subject === "" ? null : { id: subject, name: subjectName },
    windowStart: alert.windowEndMs === null ? null : isoTime(alert.windowStartMs),
    windowEnd: isoTime(alert.windowEndMs),
    percent: alert.percent,
    unit: unitOf(allowance.meter),
    spent: decimalAmount(allowance.meter, alert.spent),
    limit: decimalAmount(allowance.meter, alert.limit),
    raisedAt: isoTime(alert.raisedAtMs),
    webhook: {
      state: stateOfDelivery(delivery),
      tries: delivery.tries,
      deliveredAt: isoTime(delivery.deliveredAtMs),
      nextTryAt: isoTime(delivery.nextTryAtMs),
      lastFailure: delivery.lastFailure,
    },
  };
}
