/**
 * What was used and what it cost: charges and corrections together, so the sums are what is owed. A request counts once,
 * in the group of its last attempt. Requests that never reached a provider cost nothing and are not here.
 *
 * What was used and what it cost is of the time of its entry, an attempt of the time of its charge: a correction changes
 * the sums of when it was made, and what its attempt counts as when that was charged.
 */
import type { Kysely } from "kysely";
import { addUsd, toNanoUsd, zeroUsd } from "../../kernel/money.ts";
import type { NanoUsd } from "../../kernel/money.ts";
import { addUsage, emptyUsage } from "../../kernel/usage.ts";
import type { Usage } from "../../kernel/usage.ts";
import type { SettlementBasis } from "../records.ts";
import { toUsage } from "../rows.ts";
import type { Database } from "../schema.ts";
import { basisColumns } from "../usage-hours.ts";
import type { Scope } from "./scope.ts";
import { planSources, readSource } from "./usage-sources.ts";
import type { UsageSums } from "./usage-sources.ts";

/** From the wide to the narrow, which is the order of a report's rows. */
export const usageDimensions = [
  "month",
  "day",
  "hour",
  "tenant",
  "project",
  "key",
  "end-user",
  "provider",
  "model",
  "operation",
] as const;
export type UsageDimension = (typeof usageDimensions)[number];

export interface UsageQuery extends Scope {
  /**
   * Empty: one row of totals. By `end-user`, or by times of a zone that is not whole hours off UTC, every entry is read
   * instead of the sums of hours, which takes longer.
   */
  readonly by: readonly UsageDimension[];
  /** Of the time zone whose hours, days and months are meant: added to UTC. Default 0. */
  readonly utcOffsetMs?: number;
}

export interface UsageRow {
  /**
   * Only the dimensions asked for: ids of tenants, projects and keys; times as `2026-11`, `2026-11-21` and
   * `2026-11-21T14:00`; an end user that was not named is empty.
   */
  readonly group: UsageGroup;
  readonly requests: number;
  readonly attempts: number;
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  /** Attempts for which no price is known: they cost zero, or a stand-in's price, until they are rated again. */
  readonly unpriced: number;
  /** Attempts by what their cost rests on by now. */
  readonly bases: Readonly<Record<SettlementBasis, number>>;
}

export type UsageGroup = Readonly<Partial<Record<UsageDimension, string>>>;

/** Rows in the order of their groups. */
export async function reportUsage(db: Kysely<Database>, query: UsageQuery): Promise<readonly UsageRow[]> {
  const dimensions = usageDimensions.filter((dimension) => query.by.includes(dimension));
  const rows = new Map<string, UsageRow>();
  for (const source of planSources(query)) {
    for (const sums of await readSource(db, source, query)) {
      const row = toUsageRow(sums, dimensions);
      const key = JSON.stringify(Object.values(row.group));
      const before = rows.get(key);
      rows.set(key, before === undefined ? row : addRows(before, row, row.group));
    }
  }
  return [...rows.values()].sort((a, b) => compareGroups(a.group, b.group, dimensions));
}

/** Of all rows of a report. */
export function totalUsage(rows: readonly UsageRow[]): UsageRow {
  const nothing: UsageRow = {
    group: {},
    requests: 0,
    attempts: 0,
    usage: emptyUsage(),
    costNanoUsd: zeroUsd,
    unpriced: 0,
    bases: { reported: 0, drained: 0, metered: 0, "worst-case": 0, none: 0 },
  };
  return rows.reduce((total, row) => addRows(total, row, {}), nothing);
}

function toUsageRow(sums: UsageSums, dimensions: readonly UsageDimension[]): UsageRow {
  return {
    group: Object.fromEntries(dimensions.map((dimension) => [dimension, memberOf(sums, dimension)])),
    requests: sums.requests,
    attempts: sums.attempts,
    usage: toUsage(sums),
    costNanoUsd: toNanoUsd(sums.cost_nano_usd),
    unpriced: sums.unpriced,
    bases: mapBases((basis) => sums[basisColumns[basis]]),
  };
}

const timeLengths: Partial<Record<UsageDimension, number>> = {
  month: "2026-11".length,
  day: "2026-11-21".length,
  hour: "2026-11-21T14:00".length,
};

function memberOf(sums: UsageSums, dimension: UsageDimension): string {
  const length = timeLengths[dimension];
  return length === undefined ? (sums.members[dimension] ?? "") : new Date(sums.timeMs).toISOString().slice(0, length);
}

function addRows(a: UsageRow, b: UsageRow, group: UsageGroup): UsageRow {
  const usage = { ...a.usage };
  addUsage(usage, b.usage);
  return {
    group,
    requests: a.requests + b.requests,
    attempts: a.attempts + b.attempts,
    usage,
    costNanoUsd: addUsd(a.costNanoUsd, b.costNanoUsd),
    unpriced: a.unpriced + b.unpriced,
    bases: mapBases((basis) => a.bases[basis] + b.bases[basis]),
  };
}

function mapBases(count: (basis: SettlementBasis) => number): Record<SettlementBasis, number> {
  return {
    reported: count("reported"),
    drained: count("drained"),
    metered: count("metered"),
    "worst-case": count("worst-case"),
    none: count("none"),
  };
}

function compareGroups(a: UsageGroup, b: UsageGroup, dimensions: readonly UsageDimension[]): number {
  for (const dimension of dimensions) {
    const [left, right] = [a[dimension] ?? "", b[dimension] ?? ""];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
