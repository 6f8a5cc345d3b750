/** What is held of accounts, in text columns. What stands there was written here, or by the view; so its type is known. */
import type { HeldAmount, Holding } from "./escrow/bank.ts";

/** As the view `open_holds` has it. */
export function parseHeldAmounts(text: string): readonly HeldAmount[] {
  const held = JSON.parse(text) as readonly (readonly [string, string, string])[];
  return held.map(([ownerId, accountId, amount]) => ({ ownerId, accountId, amount: BigInt(amount) }));
}

/** For the column `held_amounts` of owners: a JSON list of `[accountId, amount as text]`. */
export function encodeHoldings(holdings: readonly Holding[]): string {
  return JSON.stringify(holdings.map(({ accountId, amount }) => [accountId, String(amount)]));
}

export function parseHoldings(text: string): readonly Holding[] {
  const held = JSON.parse(text) as readonly (readonly [string, string])[];
  return held.map(([accountId, amount]) => ({ accountId, amount: BigInt(amount) }));
}
