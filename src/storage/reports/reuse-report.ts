/**
 * What was answered without a call, and what that saved: of whole hours from their sums, of what lies before and after
 * them from the records, which have an index of such requests by time.
 */
import { sql } from "kysely";
import type { Kysely } from "kysely";
import { type NanoUsd, toNanoUsd } from "../../kernel/money.ts";
import type { Reuse } from "../records.ts";
import type { Database } from "../schema.ts";
import { splitByHours, type TimeRange } from "./hour-ranges.ts";
import { scopeEqualities } from "./scope.ts";
import type { Scope } from "./scope.ts";

export interface ReuseRow {
  readonly tenantId: string;
  readonly modelAsked: string;
  /** Requests by what became of them. */
  readonly requests: Readonly<Record<Reuse, number>>;
  readonly savedNanoUsd: NanoUsd;
}

/** In the order of tenants and models. */
export async function reportReuse(db: Kysely<Database>, scope: Scope): Promise<readonly ReuseRow[]> {
  const { wholeHours, edges } = splitByHours({ fromMs: scope.fromMs ?? null, toMs: scope.toMs ?? null });
  const sums = wholeHours === null ? [] : await readSums(db, "reuse_hours", scope, wholeHours);
  for (const edge of edges) sums.push(...(await readSums(db, "requests", scope, edge)));
  const rows = new Map<string, ReuseRow>();
  for (const { tenantId, modelAsked, reuse, count, saved } of sums) {
    const key = JSON.stringify([tenantId, modelAsked]);
    const before = rows.get(key) ?? { tenantId, modelAsked, requests: nothing, savedNanoUsd: toNanoUsd(0n) };
    rows.set(key, {
      ...before,
      requests: { ...before.requests, [reuse]: before.requests[reuse] + count },
      savedNanoUsd: toNanoUsd(before.savedNanoUsd + saved),
    });
  }
  return [...rows.values()].sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.modelAsked, b.modelAsked));
}

interface ReuseSums {
  readonly tenantId: string;
  readonly modelAsked: string;
  readonly reuse: Reuse;
  readonly count: number;
  readonly saved: bigint;
}

const sources = {
  reuse_hours: { timeColumn: "hour_ms", count: sql<number>`sum(requests)` },
  requests: { timeColumn: "started_at_ms", count: sql<number>`count(*)` },
} as const;

async function readSums(
  db: Kysely<Database>,
  table: keyof typeof sources,
  scope: Scope,
  { fromMs, toMs }: TimeRange,
): Promise<ReuseSums[]> {
  const { timeColumn, count } = sources[table];
  let select = db
    .selectFrom(table)
    .select(["tenant_id", "model_asked", "reuse", count.as("count")])
    .select(sql<bigint>`coalesce(sum(saved_nano_usd), 0)`.as("saved_nano_usd"))
    .where("reuse", "is not", null)
    .groupBy(["tenant_id", "model_asked", "reuse"]);
  for (const { column, value } of scopeEqualities(scope)) select = select.where(column, "=", value);
  if (fromMs !== null) select = select.where(sql.ref(timeColumn), ">=", fromMs);
  if (toMs !== null) select = select.where(sql.ref(timeColumn), "<", toMs);
  return (await select.execute()).flatMap((row) =>
    row.reuse === null
      ? []
      : [
          {
            tenantId: row.tenant_id ?? "",
            modelAsked: row.model_asked ?? "",
            reuse: row.reuse,
            count: row.count,
            saved: row.saved_nano_usd,
          },
        ],
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

const nothing: Readonly<Record<Reuse, number>> = {
  hit: 0,
  semantic: 0,
  joined: 0,
  replayed: 0,
  miss: 0,
  bypass: 0,
};

export interface Savings {
  /** That were answered without a call. */
  readonly requests: number;
  readonly savedNanoUsd: NanoUsd;
}

export function totalSavings(rows: readonly ReuseRow[]): Savings {
  let requests = 0;
  let saved = 0n;
  for (const row of rows) {
    requests += row.requests.hit + row.requests.semantic + row.requests.joined + row.requests.replayed;
    saved += row.savedNanoUsd;
  }
  return { requests, savedNanoUsd: toNanoUsd(saved) };
}
