/** What must hold of what an account has given out, over all of its life. */
import type { AccountState } from "../../../src/storage/escrow/account.ts";
import type { Move } from "../../../src/storage/escrow/bank.ts";
import type { ModelAccount } from "../model/bank.ts";
import { Violation } from "./violation.ts";

interface History {
  /** The highest its limit, and its rate in units a millisecond, has ever been. */
  limitMax: bigint;
  rateMax: number;
  /** It has never been of another mode than `enforce`. */
  enforced: boolean;
  /** All that was ever spent beyond a grant. */
  overdraft: bigint;
  /** Rates: drawn and not returned, less what may have leaked; the least that it has been; up to when it is counted. */
  drawn: number;
  drawnLeast: number;
  countedUntilMs: number;
  /** When the bank last spoke, and how far its clock has gone back in all: what has leaked then may do so once more. */
  lastMs: number;
  wentBackMs: number;
}

/** Of sums of floating-point numbers. Amounts are whole. */
const ROUNDING = 0.01;

export class DrawChecks {
  readonly #histories = new Map<string, History>();

  drew(account: ModelAccount, before: AccountState, granted: bigint, nowMs: number): void {
    const { accountId } = account.key;
    const history = this.#followed(account);
    history.wentBackMs += Math.max(0, history.lastMs - nowMs);
    history.lastMs = nowMs;
    leak(history, nowMs);
    history.drawn += Number(granted);
    if (granted === 0n || before.mode !== "enforce") return;
    if (granted < 0n) throw new Violation("negative", `${accountId} granted ${granted}`);
    const { limit, spent, granted: inHands, suspense } = account.state;
    if (spent + inHands + suspense > limit) {
      const rest = `${spent} is spent, ${inHands} granted and ${suspense} in suspense`;
      throw new Violation("overgrant", `${accountId} granted ${granted}; of its limit of ${limit} now ${rest}`);
    }
    const most = history.drawn - history.drawnLeast - history.wentBackMs * history.rateMax - ROUNDING;
    if (before.drain === null || !history.enforced || most <= Number(history.limitMax)) return;
    throw new Violation("rate", `${accountId} gave out ${most} beyond what leaked, its burst is ${history.limitMax}`);
  }

  released(account: ModelAccount, amount: bigint): void {
    const history = this.#historyOf(account);
    history.drawn -= Number(amount);
    history.drawnLeast = Math.min(history.drawnLeast, history.drawn);
  }

  /** A request's moves have reached the ledger. */
  settled(moves: readonly Move[], accounts: ReadonlyMap<string, ModelAccount>): void {
    for (const { accountId, overdraft } of moves) {
      const account = accounts.get(accountId);
      if (account !== undefined) this.#historyOf(account).overdraft += overdraft;
    }
  }

  check(account: ModelAccount): void {
    const history = this.#followed(account);
    const { spent, granted, suspense } = account.state;
    if (!history.enforced || spent + granted + suspense <= history.limitMax + history.overdraft) return;
    const sum = `${spent} is spent, ${granted} granted and ${suspense} in suspense`;
    const most = `of a limit of ${history.limitMax} and overdrafts of ${history.overdraft}`;
    throw new Violation("overspend", `${account.key.accountId}: ${sum} ${most}`);
  }

  /** The highest limit so far; `null` if it has not always been enforced. */
  limitOf(account: ModelAccount): bigint | null {
    const { enforced, limitMax } = this.#historyOf(account);
    return enforced ? limitMax : null;
  }

  /** What the allowance says may have changed. */
  #followed(account: ModelAccount): History {
    const history = this.#historyOf(account);
    const { limit, mode, drain } = account.state;
    if (limit > history.limitMax) history.limitMax = limit;
    const rate = drain === null ? 0 : Number(drain.amount) / drain.perMs;
    if (rate > history.rateMax) {
      // What has not leaked since it was last looked at does so at the new rate.
      history.drawn -= (rate - history.rateMax) * Math.max(0, history.countedUntilMs - account.state.drainedAtMs);
      history.rateMax = rate;
    }
    if (mode !== "enforce") history.enforced = false;
    return history;
  }

  #historyOf(account: ModelAccount): History {
    return this.#histories.getOrInsertComputed(account.key.accountId, () => ({
      limitMax: 0n,
      rateMax: 0,
      enforced: true,
      overdraft: 0n,
      drawn: 0,
      drawnLeast: 0,
      countedUntilMs: account.state.drainedAtMs,
      lastMs: account.state.drainedAtMs,
      wentBackMs: 0,
    }));
  }
}

/** No faster than its rate, whatever the bank's clock does. */
function leak(history: History, nowMs: number): void {
  if (nowMs <= history.countedUntilMs) return;
  history.drawn -= (nowMs - history.countedUntilMs) * history.rateMax;
  history.countedUntilMs = nowMs;
  history.drawnLeast = Math.min(history.drawnLeast, history.drawn);
}
