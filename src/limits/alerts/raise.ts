/**
 * Looks for accounts that have passed a threshold and raises its alert, once for each account and percent: the row is the
 * claim, so of several processes that see the same account one raises it, and a restart raises nothing again.
 *
 * Accounts of windows that have just ended are looked at too: what was in flight at the end settles in the old window.
 */
import { type Kysely, sql } from "kysely";
import type { IdSource } from "../../kernel/ids.ts";
import type { Database } from "../../storage/schema.ts";
import type { AllowanceWindow } from "../allowance.ts";
import { type Alert, findAlerts } from "./alert.ts";

export interface RaiseDeps {
  readonly db: Kysely<Database>;
  readonly ids: IdSource;
}

export interface RaiseOptions {
  readonly nowMs: number;
  /** Whether the webhook is to be told. */
  readonly deliver: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How long after its end a window is still looked at. */
const SETTLING_MS = HOUR_MS;

/** No window of its kind is longer: days have up to 25 hours where clocks are changed. */
const longestMs: Readonly<Record<Exclude<AllowanceWindow, "lifetime">, number>> = {
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS + 2 * HOUR_MS,
  week: 7 * DAY_MS + 2 * HOUR_MS,
  month: 31 * DAY_MS + 2 * HOUR_MS,
};

/** Resolves with what this call raised. */
export async function raiseAlerts(deps: RaiseDeps, options: RaiseOptions): Promise<readonly Alert[]> {
  const { db } = deps;
  const watched = await db
    .selectFrom("allowances")
    .select(["window_kind", "alert_percents"])
    .distinct()
    .where("alert_percents", "!=", "[]")
    .where("disabled_at_ms", "is", null)
    .execute();
  const raised: string[] = [];
  for (const kind of watched) {
    const percents = JSON.parse(kind.alert_percents) as readonly number[];
    for (const { raised_count, ...account } of await findPassed(db, kind, percents, options.nowMs)) {
      const passed = percents.filter(
        (percent) => account.spent_amount * 100n >= account.limit_amount * BigInt(percent),
      );
      if (raised_count >= passed.length) continue;
      for (const percent of passed) {
        const id = await raise(deps, account, percent, options);
        if (id !== null) raised.push(id);
      }
    }
  }
  return findAlerts(db, raised);
}

type Account = Pick<Database["allowance_accounts"], "account_id" | "allowance_id" | "spent_amount" | "limit_amount">;

interface Passed extends Account {
  /** How many of the percents have been raised. */
  readonly raised_count: number;
}

interface Watched {
  readonly window_kind: AllowanceWindow;
  readonly alert_percents: string;
}

/**
 * Accounts that have passed the lowest percent, or are a rounding short of it: both sides are divided, because a product
 * might not fit into 64 bits.
 */
async function findPassed(
  db: Kysely<Database>,
  { window_kind, alert_percents }: Watched,
  percents: readonly number[],
  nowMs: number,
): Promise<readonly Passed[]> {
  const startedFromMs = window_kind === "lifetime" ? 0 : nowMs - longestMs[window_kind] - SETTLING_MS;
  return db
    .selectFrom("allowances")
    .innerJoin("allowance_accounts as account", "account.allowance_id", "allowances.id")
    .select(["account.account_id", "account.allowance_id", "account.spent_amount", "account.limit_amount"])
    .select((row) =>
      row
        .selectFrom("allowance_alerts as alert")
        .select((alert) => alert.fn.countAll<number>().as("count"))
        .whereRef("alert.account_id", "=", "account.account_id")
        .where("alert.percent", "in", percents)
        .$asScalar()
        .$notNull()
        .as("raised_count"),
    )
    .where("allowances.window_kind", "=", window_kind)
    .where("allowances.alert_percents", "=", alert_percents)
    .where("allowances.disabled_at_ms", "is", null)
    .where("account.window_start_ms", ">=", startedFromMs)
    .where((row) => row.or([row("window_end_ms", "is", null), row("window_end_ms", ">", nowMs - SETTLING_MS)]))
    .where("account.spent_amount", ">", 0n)
    .where(sql<boolean>`account.spent_amount / ${sql.lit(Math.min(...percents))} >= account.limit_amount / 100`)
    .execute();
}

/** `null`: another process was faster. */
async function raise(
  { db, ids }: RaiseDeps,
  account: Account,
  percent: number,
  { nowMs, deliver }: RaiseOptions,
): Promise<string | null> {
  const inserted = await db
    .insertInto("allowance_alerts")
    .values({
      ...account,
      percent,
      id: ids.next("alt"),
      raised_at_ms: nowMs,
      delivered_at_ms: null,
      tries: 0,
      next_try_at_ms: deliver ? nowMs : null,
      last_failure: null,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "percent"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted?.id ?? null;
}
