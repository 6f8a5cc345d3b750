import { type Kysely, sql } from "kysely";
import type { Database } from "../schema.ts";
import { HOUR_MS } from "../usage-hours.ts";

export interface UnpricedTarget {
  /** `provider/model` that was called: the name to give a price to. */
  readonly target: string;
  /** As the provider names it. */
  readonly modelServed: string;
  /** Without a price when they were made, and not rated since. */
  readonly attempts: number;
  /** Hour of the last of them. */
  readonly lastHourMs: number;
}

/** What was called without a price since the hour of `fromMs` (`null`: ever), most attempts first. Reads sums of hours. */
export async function listUnpricedTargets(
  db: Kysely<Database>,
  fromMs: number | null,
): Promise<readonly UnpricedTarget[]> {
  const models = await db
    .selectFrom("usage_hours")
    .select(["provider", "model_served"])
    .select((row) => [
      row.fn.sum<number>("unpriced").as("attempts"),
      sql<number>`max(case when unpriced > 0 then hour_ms end)`.as("lastHourMs"),
    ])
    .where("hour_ms", ">=", fromMs === null ? 0 : fromMs - (fromMs % HOUR_MS))
    .groupBy(["provider", "model_served"])
    .having(sql<boolean>`sum(unpriced) > 0`)
    .orderBy("attempts", "desc")
    .orderBy("model_served")
    .execute();
  const targets: UnpricedTarget[] = [];
  for (const { provider, model_served: modelServed, attempts, lastHourMs } of models) {
    const charge = await db
      .selectFrom("ledger_entries")
      .select("model_target")
      .where("at_ms", ">=", lastHourMs)
      .where("at_ms", "<", lastHourMs + HOUR_MS)
      .where("provider", "=", provider)
      .where("model_served", "=", modelServed)
      .where("unpriced", "=", 1)
      .limit(1)
      .executeTakeFirst();
    targets.push({ target: charge?.model_target ?? modelServed, modelServed, attempts, lastHourMs });
  }
  return targets;
}
