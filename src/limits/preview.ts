import type { Allowance } from "./allowance.ts";
import type { Purse } from "./escrow/purse.ts";
import type { AllowanceVerdict, Estimate } from "./limits.ts";
import { holdOf } from "./path/amounts.ts";

/**
 * What each allowance would do with a request, by what the bank says now. It is asked by drawing the least there is, which
 * goes back when nobody uses it. Of an allowance that does not refuse it says what is known, if it cannot be asked. Rejects
 * with `storage_unavailable`.
 */
export function previewAll(
  allowances: readonly Allowance[],
  purses: readonly Purse[],
  estimate: Estimate,
): Promise<readonly AllowanceVerdict[]> {
  return Promise.all(
    purses.map(async (purse, index) => {
      const allowance = allowances[index] ?? purse.allowance;
      await (purse.refuses ? purse.look() : purse.look().catch(() => {}));
      return judge(allowance, purse.room(), holdOf(allowance, estimate));
    }),
  );
}

/** `room` of `null`: nothing limits the account now. */
function judge(allowance: Allowance, room: bigint | null, hold: bigint): AllowanceVerdict {
  if (room === null) return { allowance, hold, available: allowance.limit, admitted: true };
  const available = room > 0n ? room : 0n;
  return { allowance, hold, available, admitted: allowance.mode !== "enforce" || hold <= available };
}
