/** What was answered without a call, and what that saved. Read from the records, whose few rows of this kind have an index. */
import { sql } from "kysely";
import type { Kysely } from "kysely";
import { type NanoUsd, toNanoUsd } from "../../kernel/money.ts";
import type { Reuse } from "../records.ts";
import type { Database } from "../schema.ts";
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
  let select = db
    .selectFrom("requests")
    .select(["tenant_id", "model_asked", "reuse", (row) => row.fn.countAll<number>().as("count")])
    .select(sql<bigint>`coalesce(sum(saved_nano_usd), 0)`.as("saved_nano_usd"))
    .where("reuse", "is not", null)
    .groupBy(["tenant_id", "model_asked", "reuse"])
    .orderBy("tenant_id")
    .orderBy("model_asked");
  for (const { column, value } of scopeEqualities(scope)) select = select.where(column, "=", value);
  if (typeof scope.fromMs === "number") select = select.where("started_at_ms", ">=", scope.fromMs);
  if (typeof scope.toMs === "number") select = select.where("started_at_ms", "<", scope.toMs);
  const rows = new Map<string, ReuseRow>();
  for (const { tenant_id, model_asked, reuse, count, saved_nano_usd } of await select.execute()) {
    if (reuse === null) continue;
    const [tenantId, modelAsked] = [tenant_id ?? "", model_asked ?? ""];
    const key = JSON.stringify([tenantId, modelAsked]);
    const before = rows.get(key) ?? { tenantId, modelAsked, requests: nothing, savedNanoUsd: toNanoUsd(0n) };
    rows.set(key, {
      ...before,
      requests: { ...before.requests, [reuse]: count },
      savedNanoUsd: toNanoUsd(before.savedNanoUsd + saved_nano_usd),
    });
  }
  return [...rows.values()];
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
