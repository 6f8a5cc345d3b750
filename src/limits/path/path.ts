/**
 * The allowances that a request must pass, with the purses that they are paid from. Purses are those of the present
 * windows and of the present owner at the bank: they are looked up again when the bank's time leaves one of the windows,
 * forwards or, where a clock was set back, backwards, or when the owner is another. Until then a request costs three
 * comparisons here.
 */
import type { Allowance } from "../allowance.ts";
import type { Purse } from "../escrow/purse.ts";
import type { AccountKey } from "../../storage/escrow/bank.ts";
import { isGrowing, isStrict } from "./amounts.ts";
import type { WindowCache } from "./window-cache.ts";

export interface PurseSource {
  /** Always the same one for the same account. Throws `overloaded` if there are too many. */
  purseOf(account: AccountKey, allowance: Allowance): Purse;
}

/** An allowance, and whom it counts the request for. */
export interface Entry {
  readonly allowance: Allowance;
  readonly subject: string;
}

export class Path {
  readonly allowances: readonly Allowance[];
  /** Whether some allowance holds slices only. */
  readonly growing: boolean;
  /** Whether some allowance holds the worst case. */
  readonly strict: boolean;
  /** Whether some allowance may refuse a request, or make it wait. */
  readonly refuses: boolean;
  /** One that may refuse for want of money, a strict one before others. */
  readonly moneyBudget: Allowance | null;
  readonly #entries: readonly Entry[];
  readonly #windows: WindowCache;
  #source: PurseSource | null = null;
  /** Since when all the windows are the present ones. */
  #fromMs = 0;
  #untilMs = 0;
  #purses: readonly Purse[] = [];

  constructor(entries: readonly Entry[], windows: WindowCache) {
    this.allowances = entries.map((entry) => entry.allowance);
    this.growing = this.allowances.some(isGrowing);
    this.strict = this.allowances.some(isStrict);
    this.refuses = this.allowances.some(({ mode }) => mode === "enforce");
    const budgets = this.allowances.filter(({ meter, mode }) => meter === "money" && mode === "enforce");
    this.moneyBudget = budgets.find(isStrict) ?? budgets[0] ?? null;
    this.#entries = entries;
    this.#windows = windows;
  }

  /** In the order of the allowances. `bankNowMs`: the bank's time. */
  pursesFrom(source: PurseSource, bankNowMs: number): readonly Purse[] {
    const isPresent = this.#fromMs <= bankNowMs && bankNowMs < this.#untilMs;
    if (!isPresent || source !== this.#source) this.#bind(source, bankNowMs);
    return this.#purses;
  }

  #bind(source: PurseSource, bankNowMs: number): void {
    let fromMs = 0;
    let untilMs = Infinity;
    this.#purses = this.#entries.map(({ allowance, subject }) => {
      const { startMs, endMs } = this.#windows.windowOf(allowance, bankNowMs);
      if (startMs > fromMs) fromMs = startMs;
      if (endMs !== null && endMs < untilMs) untilMs = endMs;
      const accountId = `${allowance.id}|${subject}|${startMs}`;
      const account = { accountId, allowanceId: allowance.id, subject, windowStartMs: startMs, windowEndMs: endMs };
      return source.purseOf(account, allowance);
    });
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
    this.#source = source;
  }
}
