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
  /** The bank says that nothing limits it now. */
  readonly isUnlimited: boolean;
  /** Asks other owners for what they have idle. */
  recall(): void;
}

/** So many wait for a recall at the most: more would only wait longer for the same. */
const RECALLING_MAX = 1_000;

export class Counter {
  readonly line: WaitingLine = new WaitingLine();
  readonly #purse: CounterPurse;

  constructor(purse: CounterPurse) {
    this.#purse = purse;
  }

  /** Whether a request that came as the `order`th finds `amount` here. */
  covers(amount: Amount, order: number): boolean {
    const { hand, isUnlimited } = this.#purse;
    return (amount <= hand.free && order < this.line.barrier) || amount === 0n || isUnlimited;
  }

  /** Lets the claim wait for its amount. Throws the refusal if that is known to be pointless. */
  admit(claim: Claim, nowMs: number): void {
    const { hand, shortage } = this.#purse;
    const lacking = claim.amount - hand.free;
    if (lacking > 0n && shortage.covers(lacking, nowMs)) {
      const deadlineMs = this.#recallDeadline(claim, nowMs);
      if (deadlineMs === null || nowMs >= deadlineMs) throw this.#refusalOf(claim, nowMs);
      claim.waitForRecall(deadlineMs);
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
      const isRecalling = claim.deadlineMs !== null;
      if (lacking >= need || (isRecalling && lacking > drawable)) this.#refuse(claim, nowMs);
      else if (isRecalling) this.#relist(claim, null);
    }
  }

  /** Lets the claim go, unanswered. */
  dismiss(claim: Claim): void {
    this.line.delete(claim);
    this.serve();
  }

  /** Refuses those who have come by `untilMs`, monotonic; default: all. */
  fail(failure: HeadgateError, untilMs: number = Infinity): void {
    for (const claim of this.line.claims) if (claim.sinceMs <= untilMs) this.#end(claim, failure);
  }

  #refuse(claim: Claim, nowMs: number): void {
    const deadlineMs = this.#recallDeadline(claim, nowMs);
    if (deadlineMs === null || nowMs >= (claim.deadlineMs ?? deadlineMs)) {
      this.#end(claim, this.#refusalOf(claim, nowMs));
    } else if (claim.deadlineMs === null) {
      this.#relist(claim, deadlineMs);
    }
  }

  /** Until when others may give back what the claim lacks; they are asked for it. `null`: that cannot help. */
  #recallDeadline({ amount, deadlineMs }: Claim, nowMs: number): number | null {
    const { hand, outlook, shortage, allowance } = this.#purse;
    const { standing } = outlook;
    if (standing === null || !shortage.mayWait) return null;
    if (deadlineMs === null && this.line.recallingCount >= RECALLING_MAX) return null;
    const inOtherHands = standing.granted - hand.all;
    const drawable = outlook.drawable(allowance, nowMs) ?? 0n;
    if (inOtherHands <= 0n || drawable + inOtherHands + hand.free < amount) return null;
    if (regimeOf(allowance.meter, allowance.window) === "rate" && amount > standing.limit) return null;
    if (shortage.isRecallDue(nowMs)) {
      shortage.recalled(nowMs);
      this.#purse.recall();
    }
    return shortage.waitUntilMs;
  }

  #refusalOf({ amount }: Claim, nowMs: number): HeadgateError {
    const { account, allowance, outlook, shortage } = this.#purse;
    const roomInMs = shortage.roomInMs(nowMs);
    return limitReached({ allowance, account, amount, standing: outlook.standing, roomInMs });
  }

  #serveRecalling(): void {
    for (const claim of this.line.recalling) {
      if (this.covers(claim.amount, claim.order)) this.#resume(claim);
    }
  }

  #suffices(amount: Amount): boolean {
    return amount <= this.#purse.hand.free || this.#purse.isUnlimited;
  }

  #resume(claim: Claim): void {
    this.line.delete(claim);
    claim.resume();
  }

  #end(claim: Claim, failure: HeadgateError): void {
    this.line.delete(claim);
    claim.fail(failure);
  }

  /** `deadlineMs`: of the recall that it waits for; `null`: it waits for a draw. */
  #relist(claim: Claim, deadlineMs: number | null): void {
    this.line.delete(claim);
    if (deadlineMs === null) claim.waitForDraw();
    else claim.waitForRecall(deadlineMs);
    this.line.add(claim);
  }
}
