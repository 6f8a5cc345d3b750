/** What an operator sees of an allowance's accounts: where each stands, and where it will stand if things go on so. */
import type { Kysely } from "kysely";
import { accountState } from "../../storage/escrow/terms.ts";
import { available, drain } from "../../storage/escrow/account.ts";
import type { Amount, Standing } from "../../storage/escrow/bank.ts";
import { parseHoldings } from "../../storage/held-columns.ts";
import type { Database } from "../../storage/schema.ts";
import { type Allowance, regimeOf } from "../allowance.ts";
import { type Forecast, forecast } from "./forecast.ts";
import { hasCalendarWindows } from "./terms.ts";

export interface AccountReport extends Standing {
  readonly accountId: string;
  /** The project, key or end user it counts, where the allowance counts each one apart. Else empty. */
  readonly subject: string;
  /** `null` for an allowance without calendar windows. */
  readonly windowStartMs: number | null;
  readonly windowEndMs: number | null;
  /**
   * What requests in flight hold of what is granted, as their processes have said with the last renewals of their leases;
   * where the mode does not refuse, also beyond that. `null`: not known, because a process of an earlier release does not
   * say. What a process holds that is out of touch is in suspense, and not here.
   */
  readonly held: Amount | null;
  /** Below zero after an overdraft or when the limit was lowered. */
  readonly available: Amount;
  /** Requests refused for want of room here, or that would have been in another mode, as far as processes have reported. */
  readonly refusals: number;
  /** Of budgets; of past windows and of rates and slots there is nothing to foretell. */
  readonly forecast: Forecast;
}

export interface AccountQuery {
  readonly nowMs: number;
  /** Also those whose window has ended. */
  readonly past: boolean;
  /** At most so many. */
  readonly limit: number;
}

export interface AccountList {
  /** Newest windows first, in each those that spent most. */
  readonly accounts: readonly AccountReport[];
  /** How many there are, listed or not. */
  readonly count: number;
}

export async function listAccounts(
  db: Kysely<Database>,
  allowance: Allowance,
  query: AccountQuery,
): Promise<AccountList> {
  let select = db.selectFrom("allowance_accounts").where("allowance_id", "=", allowance.id);
  if (!query.past) {
    select = select.where((row) => row.or([row("window_end_ms", "is", null), row("window_end_ms", ">", query.nowMs)]));
  }
  const allowanceRow = db.selectFrom("allowances").selectAll().where("id", "=", allowance.id);
  const terms = await allowanceRow.executeTakeFirstOrThrow();
  const { count } = await select.select((row) => row.fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
  const rows = await select
    .selectAll()
    .orderBy("window_start_ms", "desc")
    .orderBy("spent_amount", "desc")
    .orderBy("account_id")
    .limit(query.limit)
    .execute();
  const held = await sumHeld(db);
  const accounts = rows.map((row): AccountReport => {
    const standing = present(drain(accountState(row, terms), query.nowMs));
    return {
      accountId: row.account_id,
      subject: row.subject,
      windowStartMs: hasCalendarWindows(allowance) ? row.window_start_ms : null,
      windowEndMs: row.window_end_ms,
      ...standing,
      held: held === null ? null : (held.get(row.account_id) ?? 0n),
      available: available(standing),
      refusals: row.refusals,
      forecast: foretell(allowance, row, standing, query.nowMs),
    };
  });
  return { accounts, count };
}

/** What was granted of a rate leaks like what is spent. What has leaked of it already is not in anybody's hands for people. */
function present({ limit, spent, granted, suspense }: Standing): Standing {
  if (spent >= 0n) return { limit, spent, granted, suspense };
  const counted = granted + spent;
  return counted >= 0n
    ? { limit, spent: 0n, granted: counted, suspense }
    : { limit, spent: 0n, granted: 0n, suspense: suspense + counted };
}

/** By account, over all processes. `null`: one of them has never said. */
async function sumHeld(db: Kysely<Database>): Promise<ReadonlyMap<string, Amount> | null> {
  const owners = await db.selectFrom("allowance_owners").select("held_amounts").where("fenced", "=", 0).execute();
  const sums = new Map<string, Amount>();
  for (const { held_amounts } of owners) {
    if (held_amounts === null) return null;
    for (const { accountId, amount } of parseHoldings(held_amounts)) {
      sums.set(accountId, (sums.get(accountId) ?? 0n) + amount);
    }
  }
  return sums;
}

/** Spending is counted from the window's start, or from when there was something to count. */
function foretell(
  allowance: Allowance,
  account: Database["allowance_accounts"],
  { spent, limit }: Standing,
  nowMs: number,
): Forecast {
  const endMs = account.window_end_ms;
  const isBudget = regimeOf(allowance.meter, allowance.window) === "budget";
  if (!isBudget || (endMs !== null && endMs <= nowMs)) return { spentAtEnd: null, runsOutAtMs: null };
  const startMs = Math.max(account.window_start_ms, allowance.createdAtMs);
  return forecast({ spent, limit, startMs, endMs }, nowMs);
}
