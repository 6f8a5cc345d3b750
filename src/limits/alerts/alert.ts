/** An alert: an account has passed a percent of its limit. It is raised once, and told to the webhook if there is one. */
import type { Kysely } from "kysely";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Database } from "../../storage/schema.ts";
import type { AllowanceMode, AllowanceWindow, Meter } from "../allowance.ts";

export interface Alert {
  /** The same in every try to deliver it. */
  readonly id: string;
  readonly allowance: AlertingAllowance;
  /** The project, key or end user it is about, where the allowance counts each one apart. Else empty. */
  readonly subject: string;
  readonly accountId: string;
  /** 0 for an allowance for a lifetime. */
  readonly windowStartMs: number;
  readonly windowEndMs: number | null;
  readonly percent: number;
  /** When it was raised, as `limit` is. */
  readonly spent: Amount;
  readonly limit: Amount;
  readonly raisedAtMs: number;
  readonly delivery: Delivery;
}

export interface AlertingAllowance {
  readonly id: string;
  readonly name: string;
  readonly tenantId: string;
  readonly meter: Meter;
  readonly window: AllowanceWindow;
  readonly mode: AllowanceMode;
}

export interface Delivery {
  readonly deliveredAtMs: number | null;
  readonly tries: number;
  /** `null`: none follows. */
  readonly nextTryAtMs: number | null;
  readonly lastFailure: string | null;
}

/** Delivered; waiting for its first or next try; given up; or there was no webhook when it was raised. */
export function stateOfDelivery({ deliveredAtMs, tries, nextTryAtMs }: Delivery): string {
  if (deliveredAtMs !== null) return "delivered";
  if (nextTryAtMs !== null) return "pending";
  return tries === 0 ? "no webhook" : "given up";
}

export interface AlertQuery {
  /** `null`: of all. */
  readonly tenantId: string | null;
  readonly allowanceId: string | null;
  /** At most so many. */
  readonly limit: number;
}

/** Newest first. */
export async function listAlerts(db: Kysely<Database>, query: AlertQuery): Promise<readonly Alert[]> {
  let select = selectAlerts(db).orderBy("alert.raised_at_ms", "desc").orderBy("alert.id", "desc").limit(query.limit);
  if (query.tenantId !== null) select = select.where("allowance.tenant_id", "=", query.tenantId);
  if (query.allowanceId !== null) select = select.where("alert.allowance_id", "=", query.allowanceId);
  return (await select.execute()).map(toAlert);
}

/** Those that were just raised. */
export async function findAlerts(db: Kysely<Database>, ids: readonly string[]): Promise<readonly Alert[]> {
  if (ids.length === 0) return [];
  return (await selectAlerts(db).where("alert.id", "in", ids).orderBy("alert.id").execute()).map(toAlert);
}

/** Those whose next try is due, the longest waiting first. */
export async function listDueAlerts(db: Kysely<Database>, nowMs: number, limit: number): Promise<readonly Alert[]> {
  const due = selectAlerts(db).where("alert.next_try_at_ms", "<=", nowMs).orderBy("alert.next_try_at_ms").limit(limit);
  return (await due.execute()).map(toAlert);
}

/** With what an alert says of its account and its allowance. The type is the query's own. */
const selectAlerts = (db: Kysely<Database>) =>
  db
    .selectFrom("allowance_alerts as alert")
    .innerJoin("allowance_accounts as account", "account.account_id", "alert.account_id")
    .innerJoin("allowances as allowance", "allowance.id", "alert.allowance_id")
    .selectAll("alert")
    .select(["account.subject", "account.window_start_ms", "account.window_end_ms"])
    .select(["allowance.tenant_id", "allowance.name", "allowance.meter", "allowance.window_kind", "allowance.mode"]);

type AlertRow = Awaited<ReturnType<ReturnType<typeof selectAlerts>["execute"]>>[number];

function toAlert(row: AlertRow): Alert {
  return {
    id: row.id,
    allowance: {
      id: row.allowance_id,
      name: row.name,
      tenantId: row.tenant_id,
      meter: row.meter,
      window: row.window_kind,
      mode: row.mode,
    },
    subject: row.subject,
    accountId: row.account_id,
    windowStartMs: row.window_start_ms,
    windowEndMs: row.window_end_ms,
    percent: row.percent,
    spent: row.spent_amount,
    limit: row.limit_amount,
    raisedAtMs: row.raised_at_ms,
    delivery: {
      deliveredAtMs: row.delivered_at_ms,
      tries: row.tries,
      nextTryAtMs: row.next_try_at_ms,
      lastFailure: row.last_failure,
    },
  };
}
