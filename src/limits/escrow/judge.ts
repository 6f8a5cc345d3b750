/**
 * Finds whom an allowance that does not refuse would have refused: who took of it when there was no room. Where it was not
 * known how the account stood, that is found out when it is.
 *
 *   took ── its standing is known ──────────────────────────────▶ judged
 *     └── not yet: nothing was drawn, or too long ago ─▶ kept ── the bank has answered ──▶ judged
 *
 * Who is kept is so as numbers (takings.ts): an outage may be long.
 *
 * Invariant: nobody is judged twice, and who is kept in the order in which they took, by the room that those before left.
 */
import type { AccountKey, Amount } from "../../storage/escrow/bank.ts";
import type { Regime } from "../allowance.ts";
import type { Hand } from "./hand.ts";
import type { Outlook } from "./outlook.ts";
import { type KeptRoom, Takings } from "./takings.ts";

/** A request that asks for more than it holds. */
export interface Asker {
  /** What it holds of the account. */
  heldOf(accountId: string): Amount;
  /** The same for all who ask for one request. */
  readonly request: object;
  /** Whether it is the first time that the account counts it as refused: its answer may ask for more and more. */
  countAt(accountId: string): boolean;
  /** Whether it would be. */
  mayCountAt(accountId: string): boolean;
}

/** A request that takes of purses. */
export interface Taker extends Asker {
  /** Its request is over: it asks for nothing more, and holds nothing. */
  readonly isOver: boolean;
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
  /** Shared by all judges of the process: nobody is kept, and so judged, beyond it while the bank is away for long. */
  readonly keptRoom: KeptRoom;
  /** There was no room for what it took: counts its request, unless it is counted. */
  passed(taker: Taker): void;
  /** The same of a request that is over, and is not counted. */
  passedOver(): void;
}

export class Judge {
  readonly #bench: Bench;
  /** `null`: nobody is kept. */
  #kept: Takings | null = null;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  get isIdle(): boolean {
    return this.#kept === null;
  }

  /** Somebody is about to take `amount`. Returns whether that counts: a rate would be exhausted by what it refuses. */
  admits(amount: Amount, taker: Taker): boolean {
    const { hand, regime, isUnlimited } = this.#bench;
    if (isUnlimited) return true;
    const isInHand = amount <= hand.free;
    const room = !isInHand && this.#bench.isStale ? null : this.#bench.room();
    if (room === null) {
      this.#keep(taker, amount);
      this.#bench.lookSoon();
      return true;
    }
    if (room >= amount) return true;
    this.#bench.passed(taker);
    return regime !== "rate";
  }

  /** Judges who is kept, if it is known by now how the account stands. */
  decide(): void {
    const kept = this.#kept;
    if (kept === null) return;
    const { isUnlimited, hand, keptRoom } = this.#bench;
    const room = isUnlimited ? null : this.#bench.room();
    if (room === null && !isUnlimited) return;
    this.#kept = null;
    keptRoom.left += kept.length;
    if (room !== null) this.#decide(kept, room + hand.consumed);
  }

  /**
   * Takes over who is kept by the judge of the same account under an owner that is over: what is held there without having
   * been drawn the bank will never hear of but as it is used.
   */
  inherit(former: Judge): void {
    if (former.#kept === null) return;
    const { free, consumed } = former.#bench.hand;
    const unheardOf = free < 0n ? -free : 0n;
    const shift = this.#bench.hand.consumed + unheardOf - consumed;
    this.#kept ??= new Takings(this.#bench.account.accountId);
    this.#kept.append(former.#kept, shift);
    former.#kept = null;
    this.#bench.lookSoon();
  }

  /** Nobody will be judged any more: its owner is finished. */
  forget(): void {
    this.#bench.keptRoom.left += this.#kept?.length ?? 0;
    this.#kept = null;
  }

  #keep(taker: Taker, amount: Amount): void {
    const { keptRoom, account, hand } = this.#bench;
    if (keptRoom.left === 0) return;
    keptRoom.left--;
    this.#kept ??= new Takings(account.accountId);
    this.#kept.add(taker, amount, hand.consumed);
  }

  /** `all`: the room that there would be if nothing had ever been consumed. */
  #decide(kept: Takings, all: Amount): void {
    const { account, regime, outlook } = this.#bench;
    const most = regime === "rate" ? outlook.standing?.limit : undefined;
    let room = all;
    let consumed = 0n;
    for (let index = 0; index < kept.length; index++) {
      const [amount, before, taker] = [kept.amountAt(index), kept.consumedAt(index), kept.takerAt(index)];
      room -= before - consumed;
      consumed = before;
      if (most !== undefined && room > most) room = most;
      if (amount <= room) continue;
      if (taker !== null) this.#bench.passed(taker);
      else if (kept.countAt(index)) this.#bench.passedOver();
      if (regime !== "rate") continue;
      consumed += amount;
      taker?.forgo(account.accountId, amount);
    }
  }
}
