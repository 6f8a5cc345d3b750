/** What an allowance's row says to its accounts. */
import type { Database } from "../schema.ts";
import type { AccountState } from "./account.ts";
import type { Amount } from "./bank.ts";

export type AllowanceRow = Database["allowances"];
export type AccountRow = Database["allowance_accounts"];
export type OverrideRow = Pick<Database["allowance_overrides"], "from_ms" | "until_ms" | "limit_amount">;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * The limit of the window that begins at `windowStartMs`: of a rate its burst, unless it admits nothing at all.
 * `overrides`: those of the allowance that are not revoked.
 */
export function limitOfWindow(
  allowance: AllowanceRow,
  overrides: readonly OverrideRow[],
  windowStartMs: number,
): Amount {
  const override = overrides.find(({ from_ms, until_ms }) => from_ms <= windowStartMs && windowStartMs < until_ms);
  if (override !== undefined) return override.limit_amount;
  return isRate(allowance) && allowance.limit_amount > 0n
    ? (allowance.burst_amount ?? allowance.limit_amount)
    : allowance.limit_amount;
}

/** The state of an account as its rows say it: a rate has not drained since `drainedAtMs`, see `drain`. */
export function accountState(account: AccountRow, allowance: AllowanceRow): AccountState {
  return {
    limit: account.limit_amount,
    spent: account.spent_amount,
    granted: account.granted_amount,
    suspense: account.suspense_amount,
    mode: allowance.mode,
    drain: drainOf(allowance),
    drainedAtMs: account.drained_at_ms,
    refusals: account.refusals,
  };
}

/** Requests and tokens per minute or hour are rates. */
export function isRate({ meter, window_kind }: AllowanceRow): boolean {
  return (meter === "requests" || meter === "tokens") && (window_kind === "minute" || window_kind === "hour");
}

/** Rates drain, their whole limit in the length of their window. */
function drainOf(allowance: AllowanceRow): AccountState["drain"] {
  if (!isRate(allowance)) return null;
  return { amount: allowance.limit_amount, perMs: allowance.window_kind === "minute" ? MINUTE_MS : HOUR_MS };
}
