/**
 * Finds whom an allowance that does not refuse would have refused: who took of it when there was no room. Where it was not
 * known how the account stood, that is found out when it is.
 *
 *   took ── its standing is known ──────────────────────────────▶ judged
 *     └── not yet: nothing was drawn, or too long ago ─▶ kept ── the bank has answered ──▶ judged
 *
 * Invariant: nobody is judged twice, and who is kept in the order in which they took, by the room that those before left.
 */
import type { AccountKey, Amount } from "../../storage/escrow/bank.ts";
import type { Regime } from "../allowance.ts";
import type { Hand } from "./hand.ts";
import type { Outlook } from "./outlook.ts";

/** A request that asks for more than it holds. */
export interface Asker {
  /** What it holds of the account. */
  heldOf(accountId: string): Amount;
  /** Whether it is the first time that the account counts it as refused: its answer may ask for more and more. */
  countAt(accountId: string): boolean;
}

/** A request that takes of purses. */
export interface Taker extends Asker {
  /** So much of what it took of the account does not count. Once it has settled it changes nothing. */
  forgo(accountId: string, amount: Amount): void;
}

/** The purse of which they take. */
export interface Bench {
  readonly account: AccountKey;
  readonly regime: Regime;
  readonly hand: Hand;
  readonly outlook: Outlook;
  /** Nothing limits the account now. */
  readonly isUnlimited: boolean;
  /** The bank can be asked how the account stands, and was not lately. */
  readonly isStale: boolean;
  lookSoon(): void;
  /** What could be held now, as far as is known. */
  room(): Amount | null;
  /** There was no room for what it took. */
  passed(taker: Taker): void;
}

interface Taking {
  readonly taker: Taker;
  readonly amount: Amount;
  /** What had ever been consumed in this process before it. */
  readonly consumed: Amount;
}

/** Nobody is kept beyond these, while the bank is away for long. */
const KEPT_MAX = 10_000;

export class Judge {
  readonly #bench: Bench;
  #kept: Taking[] = [];

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  get isIdle(): boolean {
    return this.#kept.length === 0;
  }

  /** Somebody is about to take `amount`. Returns whether that counts: a rate would be exhausted by what it refuses. */
  admits(amount: Amount, taker: Taker): boolean {
    const { hand, regime, isUnlimited } = this.#bench;
    if (isUnlimited) return true;
    const isInHand = amount <= hand.free;
    const room = !isInHand && this.#bench.isStale ? null : this.#bench.room();
    if (room === null) {
      if (this.#kept.length < KEPT_MAX) this.#kept.push({ taker, amount, consumed: hand.consumed });
      this.#bench.lookSoon();
      return true;
    }
    if (room >= amount) return true;
    this.#bench.passed(taker);
    return regime !== "rate";
  }

  /** Judges who is kept, if it is known by now how the account stands. */
  decide(): void {
    if (this.isIdle) return;
    const { isUnlimited, hand } = this.#bench;
    const room = isUnlimited ? null : this.#bench.room();
    if (room === null && !isUnlimited) return;
    const kept = this.#kept;
    this.#kept = [];
    if (room !== null) this.#decide(kept, room + hand.consumed);
  }

  /**
   * Takes over who is kept by the judge of the same account under an owner that is over: what is held there without having
   * been drawn the bank will never hear of but as it is used.
   */
  inherit(former: Judge): void {
    if (former.isIdle) return;
    const { free, consumed } = former.#bench.hand;
    const unheardOf = free < 0n ? -free : 0n;
    const shift = this.#bench.hand.consumed + unheardOf - consumed;
    for (const taking of former.#kept) this.#kept.push({ ...taking, consumed: taking.consumed + shift });
    former.#kept = [];
    this.#bench.lookSoon();
  }

  /** `all`: the room that there would be if nothing had ever been consumed. */
  #decide(kept: readonly Taking[], all: Amount): void {
    const { account, regime, outlook } = this.#bench;
    const most = regime === "rate" ? outlook.standing?.limit : undefined;
    let room = all;
    let consumed = 0n;
    for (const { taker, amount, consumed: before } of kept) {
      room -= before - consumed;
      consumed = before;
      if (most !== undefined && room > most) room = most;
      if (amount <= room) continue;
      this.#bench.passed(taker);
      if (regime !== "rate") continue;
      consumed += amount;
      taker.forgo(account.accountId, amount);
    }
  }
}
