/**
 * Where requests wait at a purse that has too little in hand, and what becomes of them.
 *
 *   admitted ──▶ eager ──enough──▶ resumed
 *                 │ the bank refuses
 *                 ├── others hold nothing that would help ──▶ refused
 *                 └── they do ──▶ recalling ──enough; asked for again each poll──▶ resumed
 *                                     └── the wait for it is over ──▶ refused
 *
 * Invariant: nobody passes an eager one that came before (waiting-line.ts), and nobody is refused less than what the bank
 * has refused, without it being asked.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { AccountKey, Amount } from "../../storage/escrow/bank.ts";
import { type Allowance, regimeOf } from "../allowance.ts";
import { limitReached } from "../refusal.ts";
import type { Claim } from "./claim.ts";
import type { Hand } from "./hand.ts";
import type { Outlook } from "./outlook.ts";
import type { Shortage } from "./shortage.ts";
import { WaitingLine } from "./waiting-line.ts";

/** The purse that it belongs to. */
export interface CounterPurse {
  readonly account: AccountKey;
  readonly allowance: Allowance;
  readonly hand: Hand;
  readonly outlook: Outlook;
  readonly shortage: Shortage;
  /** Whatever a request needs: the allowance does not refuse, or the bank says that nothing limits the account now. */
  readonly coversAll: boolean;
  /** Asks other owners for what they have idle. */
  recall(): void;
  /** It is refused here: counts it, once. */
  count(claim: Claim): void;
}

/** So many wait for a recall at the most: more would only wait longer for the same. */
const RECALLING_MAX = 1_000;

/** What a claim waits for. */
const DRAW = false;
const RECALL = true;

export class Counter {
  readonly line: WaitingLine = new WaitingLine();
  readonly #purse: CounterPurse;

  constructor(purse: CounterPurse) {
    this.#purse = purse;
  }

  /** Whether a request that came as the `order`th finds `amount` here. */
  covers(amount: Amount, order: number): boolean {
    const { hand, coversAll } = this.#purse;
    return (amount <= hand.free && order < this.line.barrier) || amount === 0n || coversAll;
  }

  /** Lets the claim wait for its amount. Throws the refusal if that is known to be pointless. */
  admit(claim: Claim, nowMs: number): void {
    const { hand, shortage } = this.#purse;
    const lacking = claim.amount - hand.free;
    if (lacking > 0n && shortage.covers(lacking, nowMs)) {
      if (!this.#mayRecall(claim, nowMs)) throw this.#refusalOf(claim, nowMs);
      claim.waitFor(RECALL);
    }
    this.line.add(claim);
  }

  /** Lets go on whoever finds enough now. Those who wait for a recall may have come before eager ones, or after. */
  serve(): void {
    if (this.line.isEmpty) return;
    this.#serveRecalling();
    let first = this.line.firstEager;
    if (first === undefined || !this.#suffices(first.amount)) return;
    for (; first !== undefined && this.#suffices(first.amount); first = this.line.firstEager) this.#resume(first);
    this.#serveRecalling();
  }

  /** The bank has refused a draw of `need`, and with it those who lack as much. */
  refuse(need: Amount, nowMs: number): void {
    const { hand, outlook, allowance } = this.#purse;
    const drawable = outlook.drawable(allowance, nowMs) ?? 0n;
    for (const claim of this.line.claims) {
      const lacking = claim.amount - hand.free;
      if (lacking >= need || (claim.isRecalling && lacking > drawable)) this.#refuse(claim, nowMs);
      else if (claim.isRecalling) this.#relist(claim, DRAW);
    }
  }

  /** Lets the claim go, unanswered. */
  dismiss(claim: Claim): void {
    this.line.delete(claim);
    this.serve();
  }

  /** Refuses all. */
  fail(failure: HeadgateError): void {
    for (const claim of this.line.claims) this.#end(claim, failure);
  }

  /** Refuses those who came before `beforeMs`: `silence` to who waits for an answer of the bank. */
  sendAway(beforeMs: number, silence: HeadgateError, nowMs: number): void {
    for (const claim of this.line.claims) {
      if (claim.sinceMs < beforeMs) this.#end(claim, claim.isRecalling ? this.#refusalOf(claim, nowMs) : silence);
    }
  }

  #refuse(claim: Claim, nowMs: number): void {
    if (!this.#mayRecall(claim, nowMs)) this.#end(claim, this.#refusalOf(claim, nowMs));
    else if (!claim.isRecalling) this.#relist(claim, RECALL);
  }

  /** Whether what others have idle could help the claim, and its wait for it is not over. They are asked for it. */
  #mayRecall(claim: Claim, nowMs: number): boolean {
    const { account, shortage } = this.#purse;
    if (!shortage.mayWait || !this.#isInOtherHands(claim.amount, nowMs)) return false;
    if (!claim.isRecalling && this.line.recallingCount >= RECALLING_MAX) return false;
    if (shortage.isRecallDue(nowMs)) {
      shortage.recalled(nowMs);
      this.#purse.recall();
    }
    return nowMs < claim.deadlineAt(account.accountId, shortage.waitUntilMs);
  }

  /** Whether it would be enough if others gave back all that they have. */
  #isInOtherHands(amount: Amount, nowMs: number): boolean {
    const { hand, outlook, allowance } = this.#purse;
    const { standing } = outlook;
    if (standing === null) return false;
    if (regimeOf(allowance.meter, allowance.window) === "rate" && amount > standing.limit) return false;
    const inOtherHands = standing.granted - hand.all;
    const drawable = outlook.drawable(allowance, nowMs) ?? 0n;
    return inOtherHands > 0n && drawable + inOtherHands + hand.free >= amount;
  }

  /** What the bank said of another amount holds for a larger one at the least. */
  #refusalOf(claim: Claim, nowMs: number): HeadgateError {
    const { account, allowance, outlook, shortage, hand } = this.#purse;
    const { amount } = claim;
    this.#purse.count(claim);
    const said = shortage.roomInMs(nowMs);
    const reckoned = outlook.roomInMs(amount, hand.free, allowance, nowMs);
    const roomInMs = said === null || reckoned === null ? (said ?? reckoned) : Math.max(said, reckoned);
    const held = claim.taker?.heldOf(account.accountId) ?? 0n;
    return limitReached({ allowance, account, amount, held, standing: outlook.standing, roomInMs });
  }

  #serveRecalling(): void {
    for (const claim of this.line.recalling) {
      if (this.covers(claim.amount, claim.order)) this.#resume(claim);
    }
  }

  #suffices(amount: Amount): boolean {
    return amount <= this.#purse.hand.free || this.#purse.coversAll;
  }

  #resume(claim: Claim): void {
    this.line.delete(claim);
    claim.resume();
  }

  #end(claim: Claim, failure: HeadgateError): void {
    this.line.delete(claim);
    claim.fail(failure);
  }

  /** Changes what it waits for, and with it its place. */
  #relist(claim: Claim, isRecalling: boolean): void {
    this.line.delete(claim);
    claim.waitFor(isRecalling);
    this.line.add(claim);
  }
}
