/**
 * What was used and what it cost, from the ledger: charges and corrections together, so the sums are what is owed.
 * A request counts in every group that one of its attempts falls in. Requests that never reached a provider
 * cost nothing and are not here.
 */
import { sql } from "kysely";
import type { Kysely, RawBuilder } from "kysely";
import { toNanoUsd } from "../../kernel/money.ts";
import type { NanoUsd } from "../../kernel/money.ts";
import type { Usage } from "../../kernel/usage.ts";
import type { SettlementBasis } from "../records.ts";
import { toUsage } from "../rows.ts";
import { usageColumns } from "../schema.ts";
import type { Database } from "../schema.ts";
import { scopeEqualities } from "./scope.ts";
import type { Scope } from "./scope.ts";

export const usageDimensions = ["day", "tenant", "project", "key", "provider", "model"] as const;
export type UsageDimension = (typeof usageDimensions)[number];

export interface UsageQuery extends Scope {
  /** Empty: one row of totals. */
  readonly by: readonly UsageDimension[];
  /** Added to UTC before the day is taken. Default 0. */
  readonly dayOffsetMs?: number;
}

export interface UsageRow {
  /** The group: ids of tenants, projects and keys; a day as `2026-11-21`. Only the dimensions asked for. */
  readonly group: Readonly<Partial<Record<UsageDimension, string>>>;
  readonly requests: number;
  readonly attempts: number;
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  /** Charges for which no price was known: they cost zero until they are re-rated. */
  readonly unpriced: number;
  readonly bases: Readonly<Record<SettlementBasis, number>>;
}

const DAY_MS = 86_400_000;
const settlementBases: readonly SettlementBasis[] = ["reported", "drained", "metered", "worst-case", "none"];

const dimensionColumns = {
  tenant: "tenant_id",
  project: "project_id",
  key: "key_id",
  provider: "provider",
  model: "model_served",
} as const;

/** Rows in the order of their groups. */
export async function reportUsage(db: Kysely<Database>, query: UsageQuery): Promise<readonly UsageRow[]> {
  const dimensions = usageDimensions.filter((dimension) => query.by.includes(dimension));
  const groups = dimensions.map((dimension) => groupExpression(dimension, query.dayOffsetMs ?? 0));
  let select = db
    .selectFrom("ledger_entries")
    .select((entry) => [
      sql<number>`count(distinct case when kind = 'charge' then request_id end)`.as("requests"),
      countWhere(sql`kind = 'charge'`).as("attempts"),
      countWhere(sql`kind = 'charge' and unpriced = 1`).as("unpriced"),
      sql<bigint>`coalesce(sum(cost_nano_usd), 0)`.as("cost_nano_usd"),
      ...Object.values(usageColumns).map((column) =>
        entry.fn.coalesce(entry.fn.sum<number>(column), sql.lit(0)).as(column),
      ),
      ...settlementBases.map((basis) => countWhere(sql`kind = 'charge' and basis = ${sql.lit(basis)}`).as(basis)),
    ])
    .select(dimensions.map((dimension, index) => (groups[index] ?? sql<string>`null`).as(dimension)));
  for (const { column, value } of scopeEqualities(query)) select = select.where(column, "=", value);
  if (typeof query.fromMs === "number") select = select.where("at_ms", ">=", query.fromMs);
  if (typeof query.toMs === "number") select = select.where("at_ms", "<", query.toMs);
  for (const group of groups) select = select.groupBy(group).orderBy(group);
  const rows = await select.execute();
  return rows.map((row) => ({
    group: Object.fromEntries(dimensions.map((dimension) => [dimension, groupText(dimension, row[dimension])])),
    requests: row.requests,
    attempts: row.attempts,
    usage: toUsage(row),
    costNanoUsd: toNanoUsd(row.cost_nano_usd),
    unpriced: row.unpriced,
    bases: pickBases(row),
  }));
}

function groupExpression(dimension: UsageDimension, dayOffsetMs: number): RawBuilder<string | number> {
  if (dimension !== "day") return sql<string>`${sql.ref(dimensionColumns[dimension])}`;
  return sql<number>`(at_ms + ${sql.lit(dayOffsetMs)}) / ${sql.lit(DAY_MS)}`;
}

function groupText(dimension: UsageDimension, value: string | number): string {
  return dimension === "day" ? new Date(Number(value) * DAY_MS).toISOString().slice(0, 10) : String(value);
}

function countWhere(condition: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`count(case when ${condition} then 1 end)`;
}

function pickBases(row: Readonly<Record<SettlementBasis, number>>): Readonly<Record<SettlementBasis, number>> {
  return Object.fromEntries(settlementBases.map((basis) => [basis, row[basis]])) as Record<SettlementBasis, number>;
}
