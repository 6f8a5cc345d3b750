/**
 * Where a usage report reads. Whole hours stand summed in `usage_hours`; what lies before the first or after the last
 * whole hour asked for, and what the sums do not tell apart, is summed from the ledger: its entries of that time, and
 * the corrections, whenever they were made, of what was charged in that time, which say what its attempts count as.
 *
 *   from ──ledger──┤ first whole hour ──usage_hours── last whole hour ├──ledger── to
 */
import { sql } from "kysely";
import type { AliasedRawBuilder, Kysely, RawBuilder } from "kysely";
import { usageColumns } from "../schema.ts";
import type { Database } from "../schema.ts";
import { basisColumns, HOUR_MS, summedColumns } from "../usage-hours.ts";
import type { SummedColumn, UsageHour } from "../usage-hours.ts";
import { splitByHours, type TimeRange } from "./hour-ranges.ts";
import { scopeEqualities } from "./scope.ts";
import type { UsageDimension, UsageQuery } from "./usage-report.ts";

export interface UsageSource extends TimeRange {
  readonly kind: SourceKind;
}

type SourceKind = "hours" | "entries" | "corrections";

/** Together they are the time asked for, without overlap. */
export function planSources(query: UsageQuery): readonly UsageSource[] {
  const asked: TimeRange = { fromMs: query.fromMs ?? null, toMs: query.toMs ?? null };
  if (!hoursTellApart(query)) return ledgerOf(asked);
  const { wholeHours, edges } = splitByHours(asked);
  const ledger = edges.flatMap(ledgerOf);
  return wholeHours === null ? ledger : [{ kind: "hours", ...wholeHours }, ...ledger];
}

function ledgerOf(range: TimeRange): readonly UsageSource[] {
  return [
    { kind: "entries", ...range },
    { kind: "corrections", ...range },
  ];
}

function hoursTellApart({ by, utcOffsetMs = 0 }: UsageQuery): boolean {
  if (by.includes("end-user")) return false;
  return utcOffsetMs % HOUR_MS === 0 || timeUnitMs(by) === null;
}

const DAY_MS = 24 * HOUR_MS;

/** In which times are told apart: months are put together from days. `null`: they are not. */
function timeUnitMs(by: readonly UsageDimension[]): number | null {
  if (by.includes("hour")) return HOUR_MS;
  return by.includes("day") || by.includes("month") ? DAY_MS : null;
}

/** Sums of a group, as the source tells them apart. */
export interface UsageSums extends Pick<UsageHour, SummedColumn> {
  /** When the group's hour or day begins, in the query's time zone as if it were UTC; 0 where times are not told apart. */
  readonly timeMs: number;
  /** By dimension, but for times. */
  readonly members: Readonly<Partial<Record<UsageDimension, string>>>;
}

const memberColumns = {
  tenant: "tenant_id",
  project: "project_id",
  key: "key_id",
  "end-user": "end_user",
  provider: "provider",
  model: "model_served",
  operation: "operation",
} as const satisfies Partial<Record<UsageDimension, string>>;

type MemberDimension = keyof typeof memberColumns;

export async function readSource(
  db: Kysely<Database>,
  { kind, fromMs, toMs }: UsageSource,
  query: UsageQuery,
): Promise<readonly UsageSums[]> {
  const { table, timeColumn, sums } = tables[kind];
  const dimensions = query.by.filter((dimension) => dimension in memberColumns) as readonly MemberDimension[];
  const unitMs = timeUnitMs(query.by);
  const groups = new Map<string, RawBuilder<string | number | null>>(
    dimensions.map((dimension) => [dimension, sql.ref(memberColumns[dimension])]),
  );
  if (unitMs !== null) {
    const offsetMs = sql.lit(query.utcOffsetMs ?? 0);
    groups.set("time", sql<number>`(${sql.ref(timeColumn)} + ${offsetMs}) / ${sql.lit(unitMs)}`);
  }
  let select = db.selectFrom(table).select(sums());
  for (const [name, group] of groups) select = select.select(group.as(name)).groupBy(group);
  for (const { column, value } of scopeEqualities(query)) select = select.where(column, "=", value);
  if (kind === "corrections") select = select.where(sql.ref(timeColumn), "is not", null);
  if (fromMs !== null) select = select.where(sql.ref(timeColumn), ">=", fromMs);
  if (toMs !== null) select = select.where(sql.ref(timeColumn), "<", toMs);
  const rows = (await select.execute()) as unknown as readonly (Pick<UsageHour, SummedColumn> & GroupColumns)[];
  return rows.map((row) => ({
    ...row,
    timeMs: Number(row.time ?? 0) * (unitMs ?? 0),
    members: Object.fromEntries(dimensions.map((dimension) => [dimension, row[dimension] ?? ""])),
  }));
}

type GroupColumns = Readonly<Partial<Record<MemberDimension, string | null>>> & { readonly time?: number };

type SumExpressions = readonly AliasedRawBuilder<number, SummedColumn>[];

function sumsOfHours(): SumExpressions {
  return summedColumns.map((column) => sum(sql.ref(column)).as(column));
}

/** What was used and what it cost; and charges, as what they were charged. */
function sumsOfEntries(): SumExpressions {
  const ofCharges = (of: RawBuilder<unknown>): RawBuilder<number> =>
    sum(sql`case when kind = 'charge' then ${of} else 0 end`);
  return [
    sum(sql.ref("last_of_request")).as("requests"),
    ofCharges(sql.lit(1)).as("attempts"),
    ofCharges(sql.ref("unpriced")).as("unpriced"),
    ...Object.entries(basisColumns).map(([basis, column]) => ofCharges(isOn("basis", basis)).as(column)),
    ...Object.values(usageColumns).map((column) => sum(sql.ref(column)).as(column)),
    sum(sql.ref("cost_nano_usd")).as("cost_nano_usd"),
  ];
}

/** How many charges count as something else now. */
function sumsOfCorrections(): SumExpressions {
  const nothing = sum(sql.lit(0));
  return [
    nothing.as("requests"),
    nothing.as("attempts"),
    sum(sql.ref("unpriced")).as("unpriced"),
    ...Object.entries(basisColumns).map(([basis, column]) =>
      sum(sql`${isOn("basis", basis)} - ${isOn("replaced_basis", basis)}`).as(column),
    ),
    ...Object.values(usageColumns).map((column) => nothing.as(column)),
    nothing.as("cost_nano_usd"),
  ];
}

function isOn(column: "basis" | "replaced_basis", basis: string): RawBuilder<number> {
  return sql`case when ${sql.ref(column)} = ${sql.lit(basis)} then 1 else 0 end`;
}

const tables = {
  hours: { table: "usage_hours", timeColumn: "hour_ms", sums: sumsOfHours },
  entries: { table: "ledger_entries", timeColumn: "at_ms", sums: sumsOfEntries },
  corrections: { table: "ledger_entries", timeColumn: "charged_at_ms", sums: sumsOfCorrections },
} as const satisfies Record<SourceKind, object>;

/** Zero of no rows. */
function sum(of: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`coalesce(sum(${of}), 0)`;
}
