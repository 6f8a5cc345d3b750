/**
 * One account as the requests of this process see it: what is in hand (hand.ts), who waits for more (counter.ts), what is
 * known of the account (outlook.ts), what the bank refused lately (shortage.ts), what it asks of the bank (supply.ts), and
 * whom it would have refused (judge.ts).
 *
 *   enough ──too little in hand──▶ drawing ──granted──▶ enough
 *                                     └─refused──▶ recalling ──granted, or released here──▶ enough
 *
 * Of an allowance that does not refuse everybody takes at once, also what is not in hand: it is drawn afterwards, and what
 * is used before that is overdraft.
 *
 * Invariant: what was found to be there (`covers`) is taken in the same turn of the event loop, and by nobody who came
 * after somebody who waits for a draw.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { AccountKey, Amount, DrawResult } from "../../storage/escrow/bank.ts";
import { type Allowance, type Regime, regimeOf } from "../allowance.ts";
import { storeSilent } from "../refusal.ts";
import type { Claim } from "./claim.ts";
import { Counter, type CounterPurse } from "./counter.ts";
import type { PurseDesk } from "./desk.ts";
import { Hand } from "./hand.ts";
import { type Bench, Judge, type Taker } from "./judge.ts";
import { Look } from "./look.ts";
import { Outlook } from "./outlook.ts";
import { Shortage } from "./shortage.ts";
import type { KeptRoom } from "./takings.ts";
import { type Conditions, type Operation, Supply } from "./supply.ts";

/** How long the word of the bank counts that nothing limits an account any more. */
const UNLIMITED_MS = 1_000;
/** No request waits for longer, or for longer than two recalls; once the bank is known to be lost, for no poll. */
const WAIT_MAX_MS = 5_000;

export class Purse implements CounterPurse, Bench {
  readonly account: AccountKey;
  readonly regime: Regime;
  /** As it was when the purse was last looked up. */
  allowance: Allowance;
  readonly hand: Hand = new Hand();
  readonly outlook: Outlook = new Outlook();
  readonly shortage: Shortage;
  /** In the teller's list of those to be looked at. Written by it alone. */
  isDue = false;
  readonly #desk: PurseDesk;
  readonly #counter: Counter;
  readonly #supply: Supply;
  readonly #judge: Judge;
  readonly #look = new Look();
  /** `null`: the bank has not said that nothing limits it. */
  #unlimitedUntilMs: number | null = null;

  /** `sequence`: of the last operation on the account under the same owner. */
  constructor(account: AccountKey, allowance: Allowance, desk: PurseDesk, sequence: number) {
    this.account = account;
    this.regime = regimeOf(allowance.meter, allowance.window);
    this.allowance = allowance;
    this.shortage = new Shortage(desk.recallWaitMs);
    this.#desk = desk;
    this.#counter = new Counter(this);
    this.#judge = new Judge(this);
    this.#supply = new Supply(this.regime, desk.pollMs, desk.nowMs(), sequence);
  }

  get keptRoom(): KeptRoom {
    return this.#desk.keptRoom;
  }

  get isUnlimited(): boolean {
    return this.#unlimitedUntilMs !== null;
  }

  /** A request may be made to wait here, or be refused. */
  get refuses(): boolean {
    return this.allowance.mode === "enforce";
  }

  get coversAll(): boolean {
    return !this.refuses || this.isUnlimited;
  }

  get isWaitedFor(): boolean {
    return !this.#counter.line.isEmpty;
  }

  /** Of the last operation that was answered; 0 before the first. */
  get sequence(): number {
    return this.#supply.sequence;
  }

  /** There are refusals that the bank has not heard of, or somebody is not judged. */
  get hasToSay(): boolean {
    return this.#supply.unreported > 0 || !this.#judge.isIdle;
  }

  /** Nothing is in hand or taken from it, nobody waits, and nothing is under way. */
  get isAtRest(): boolean {
    const { hand } = this;
    const isIdle = this.#supply.isAtRest && this.#judge.isIdle && !this.isUnlimited;
    return isIdle && hand.all === 0n && hand.free === 0n && !this.isWaitedFor;
  }

  /** Whether a request that came as the `order`th finds `amount` here. What it finds it takes at once. */
  covers(amount: Amount, order: number): boolean {
    return this.#counter.covers(amount, order);
  }

  /**
   * Of what is covered. `null`: nothing is held of the account, because nothing limits it now, or because it is a rate that
   * would have refused.
   */
  take(amount: Amount, taker: Taker): Amount | null {
    if (amount === 0n) return amount;
    if (amount > this.hand.free && this.isUnlimited) return null;
    if (!this.refuses && !this.#judge.admits(amount, taker)) return null;
    this.hold(amount);
    return amount;
  }

  /** What is covered and admitted, or was used already, be it here or not. */
  hold(amount: Amount): void {
    this.hand.take(amount);
    this.#supply.pace.take(amount);
    if (this.hand.free < this.#supply.lowWater) this.#desk.wake(this);
  }

  /** Ends a holding as far as it was used. Returns how much of `used` is covered; the rest is overdraft. */
  settle(held: Amount, used: Amount): Amount {
    const covered = this.hand.settle(held, used);
    if (used > covered) this.outlook.overdrew(used - covered);
    return covered;
  }

  /**
   * What was held and not used is free again. Of a rate, if it was held for long, it goes back to the bank instead, which
   * knows how much of it has drained meanwhile.
   */
  release(amount: Amount, heldLong: boolean): void {
    const isStale = heldLong && this.regime === "rate";
    this.hand.release(amount, isStale);
    if (!isStale) this.#supply.pace.release(amount);
    this.shortage.forget();
    if (!this.isWaitedFor) return;
    this.#counter.serve();
    this.#desk.wake(this);
  }

  /** Lets the claim wait here for its amount. Throws the refusal if that is known to be pointless. */
  admit(claim: Claim): void {
    if (this.#supply.isUnknown || !this.#desk.isReachable) throw storeSilent(this.#desk.retryAfterMs);
    this.#counter.admit(claim, this.#desk.nowMs());
    this.#desk.wake(this);
  }

  /** Lets the claim go, unanswered. */
  dismiss(claim: Claim): void {
    this.#counter.dismiss(claim);
  }

  /** Of a request that waits at another purse: so much more will be needed here, or less. */
  expect(change: Amount): void {
    this.#supply.expect(change);
    this.#desk.wake(this);
  }

  count({ taker }: Claim): void {
    if (taker === null || taker.countAt(this.account.accountId)) this.#supply.countRefusals(1, this.#desk.nowMs());
  }

  passed(taker: Taker): void {
    const { accountId } = this.account;
    if (taker.countAt(accountId)) this.passedOver();
  }

  passedOver(): void {
    this.#supply.countRefusals(1, this.#desk.nowMs());
    this.#desk.passedLimit(this.allowance, this.account.subject);
  }

  /** Its owner is finished: who is not judged by now never is. */
  finish(): void {
    this.#judge.forget();
  }

  /** Of the same account under an owner that is over: refusals that nobody has reported, and who has not been judged. */
  inherit(former: Purse): void {
    const refusals = former.#supply.takeRefusals();
    if (refusals > 0) this.#supply.countRefusals(refusals, this.#desk.nowMs());
    this.#judge.inherit(former.#judge);
  }

  recall(): void {
    this.#desk.recall(this);
  }

  /** Resolves when what is known of the account is recent. Rejects with `storage_unavailable`. */
  async look(): Promise<void> {
    if (this.isUnlimited || this.#look.isRecent(this.#desk.nowMs())) return;
    if (this.#supply.isUnknown || !this.#desk.isReachable) throw storeSilent(this.#desk.retryAfterMs);
    const answered = this.#look.answered();
    this.lookSoon();
    await answered;
  }

  /** Asks the bank how the account stands, if only by drawing the least. */
  lookSoon(): void {
    this.#supply.isLookedAt = true;
    this.#desk.wake(this);
  }

  /** The bank can be asked how the account stands, and was not lately. */
  get isStale(): boolean {
    return this.#desk.isReachable && !this.#supply.isUnknown && !this.#look.isRecent(this.#desk.nowMs());
  }

  /** What could be held now, over all processes. `null`: nothing limits it, or nothing is known. */
  room(): Amount | null {
    return this.isUnlimited ? null : this.outlook.room(this.hand.free, this.allowance, this.#desk.nowMs());
  }

  /** Other owners need what is idle here: whoever says so wakes it. */
  recalled(): void {
    this.#supply.recalled(this.#desk.nowMs());
  }

  /** The allowance may say something else now. */
  forgetAnswers(): void {
    this.#unlimitedUntilMs = null;
    this.shortage.forget();
  }

  /** Each poll. `isClosing`: its window or its owner is at an end. Returns whether there is something to ask of the bank. */
  turn(isClosing: boolean): boolean {
    if (this.isAtRest) return false;
    const nowMs = this.#desk.nowMs();
    if (this.#unlimitedUntilMs !== null && nowMs >= this.#unlimitedUntilMs) this.#unlimitedUntilMs = null;
    if (this.isWaitedFor) this.#reviewLine(nowMs);
    this.#supply.isClosing = isClosing;
    return this.#supply.turn(this.hand, this.#counter.line, this.#conditions(nowMs));
  }

  /** The next operation to ask of the bank; `null`: none now. */
  begin(): Operation | null {
    const operation = this.#supply.begin(this.hand, this.#counter.line, this.#conditions(this.#desk.nowMs()));
    if (operation === null) return null;
    this.outlook.asking();
    this.outlook.gaveBack(operation.amount);
    return operation;
  }

  /** The operation to ask of the bank once more; `null`: none. */
  repeat(): Operation | null {
    return this.#supply.repeat();
  }

  /** The draw under way was answered. */
  drawn({ granted, standing, retryAfterMs }: DrawResult): void {
    const operation = this.#supply.answered();
    if (operation === null || operation.errand.kind !== "draw") return;
    const nowMs = this.#desk.nowMs();
    this.hand.receive(granted);
    this.#unlimitedUntilMs = standing === null ? nowMs + UNLIMITED_MS : null;
    if (standing !== null) this.outlook.learn(standing, nowMs);
    // What a repeated one was refused may be there by now.
    if (standing !== null && granted === 0n && !operation.isRepeated) {
      this.shortage.refused(operation.errand.need, retryAfterMs, nowMs);
      this.#supply.refused();
      this.#counter.refuse(operation.errand.need, nowMs);
    }
    // Beyond the limit there is no hurry: nobody waits for it.
    if (!this.refuses && (this.outlook.drawable(this.allowance, nowMs) ?? 0n) <= 0n) this.#supply.refused();
    this.#judge.decide();
    this.#supply.isLookedAt = false;
    this.#look.resolve(nowMs);
    this.#counter.serve();
    this.#desk.wake(this);
  }

  /** The return under way was answered. */
  returned(): void {
    this.#supply.answered();
    this.#desk.wake(this);
  }

  /** The operation under way may have been executed, or not. */
  unanswered(): void {
    this.#supply.unanswered();
    this.#judge.decide();
    this.fail(storeSilent(this.#desk.retryAfterMs));
  }

  /** Whoever waits here is refused. */
  fail(failure: HeadgateError): void {
    this.#supply.isLookedAt = false;
    this.#look.reject(failure);
    this.#counter.fail(failure);
  }

  /** What the allowance says may have changed since they began to wait. */
  #reviewLine(nowMs: number): void {
    const { pollMs, recallWaitMs, isReachable, retryAfterMs } = this.#desk;
    const waitMsMax = isReachable ? Math.max(WAIT_MAX_MS, 2 * recallWaitMs) : pollMs;
    if (this.coversAll) this.#counter.serve();
    else this.#counter.sendAway(nowMs - waitMsMax, storeSilent(retryAfterMs), nowMs);
  }

  #conditions(nowMs: number): Conditions {
    return {
      drawable: this.outlook.drawable(this.allowance, nowMs),
      isRefused: (need) => this.isUnlimited || this.#isRefused(need, nowMs),
      isReachable: this.#desk.isReachable,
      nowMs,
    };
  }

  /** Where nobody is refused, what was taken is asked for beyond the limit too, but only now and then. */
  #isRefused(need: Amount, nowMs: number): boolean {
    return this.refuses ? this.shortage.covers(need, nowMs) : !this.#supply.mayAskAgain;
  }
}
