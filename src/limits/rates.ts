import type { Meter } from "./allowance.ts";
import type { Purse } from "./escrow/purse.ts";
import type { RateStanding, Rates } from "./limits.ts";

/** Where nothing is known, or there are none. */
export const noRates: Rates = { requestRate: null, tokenRate: null };

/** Of the rates of the meter on the path, that which has the least left. */
export function tightestRate(purses: readonly Purse[], meter: Meter): RateStanding | null {
  let tightest: RateStanding | null = null;
  for (const purse of purses) {
    if (purse.allowance.meter !== meter) continue;
    const standing = standingOf(purse);
    if (standing !== null && (tightest === null || standing.remaining < tightest.remaining)) tightest = standing;
  }
  return tightest;
}

/** Of a rate that callers are told of; `null` for everything else, and as long as nothing is known. */
function standingOf(purse: Purse): RateStanding | null {
  const { allowance, outlook } = purse;
  const room = purse.room();
  if (purse.regime !== "rate" || allowance.mode === "shadow" || outlook.standing === null || room === null) return null;
  const remaining = room > 0n ? room : 0n;
  return { limit: outlook.standing.limit, remaining, resetMs: outlook.fullInMs(room, allowance) };
}
