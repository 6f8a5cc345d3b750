/**
 * What the requests of an owner hold, told to the bank with the renewals of its lease, so that people see how much of
 * what is granted is in use. Told anew only when it has changed, and the less often the more there is to tell: what is
 * written costs no more than `ACCOUNTS_PER_MS` says, however many subjects use the gateway at once.
 *
 *   known ── next: something has changed ──▶ sent ── answered ──▶ known
 *                                              └── unheard: told again, whatever it is ──▶ sent
 */
import type { AccountKey, Amount, Holding } from "../../storage/escrow/bank.ts";
import type { Hand } from "../escrow/hand.ts";

/** An account as the process holds it. */
export interface HeldAccount {
  readonly account: Pick<AccountKey, "accountId">;
  readonly hand: Pick<Hand, "held">;
}

/** Some hundred bytes each. */
const ACCOUNTS_PER_MS = 1;

export class HeldReport {
  /** What the bank was told last; `null`: nobody knows whether it has heard. An owner is registered with nothing held. */
  #told: readonly Holding[] | null = [];
  #notBeforeMs = -Infinity;

  /** What is to be told with the renewal that is sent now. `undefined`: nothing new, or not yet. `nowMs`: monotonic. */
  next(accounts: Iterable<HeldAccount>, nowMs: number): readonly Holding[] | undefined {
    if (nowMs < this.#notBeforeMs) return undefined;
    const holdings = listHoldings(accounts);
    if (this.#told !== null && isSame(this.#told, holdings)) return undefined;
    this.#told = holdings;
    this.#notBeforeMs = nowMs + holdings.length / ACCOUNTS_PER_MS;
    return holdings;
  }

  /** The renewal was not answered. */
  unheard(): void {
    this.#told = null;
  }
}

function listHoldings(accounts: Iterable<HeldAccount>): readonly Holding[] {
  const holdings: Holding[] = [];
  for (const { account, hand } of accounts) {
    const amount: Amount = hand.held;
    if (amount > 0n) holdings.push({ accountId: account.accountId, amount });
  }
  return holdings;
}

/** Accounts keep their order as long as they are known. */
function isSame(before: readonly Holding[], now: readonly Holding[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ accountId, amount }, at) => before[at]?.accountId === accountId && before[at].amount === amount)
  );
}
