/**
 * One account as the requests of this process see it: what is in hand (hand.ts), who waits for more (counter.ts), what is
 * known of the account (outlook.ts), what the bank refused lately (shortage.ts), and what it asks of the bank (supply.ts).
 *
 *   enough ──too little in hand──▶ drawing ──granted──▶ enough
 *                                     └─refused──▶ recalling ──granted, or released here──▶ enough
 *
 * Invariant: what was found to be there (`covers`) is taken in the same turn of the event loop, and by nobody who came
 * after somebody who waits for a draw.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { AccountKey, Amount, DrawResult } from "../../storage/escrow/bank.ts";
import { type Allowance, type Regime, regimeOf } from "../allowance.ts";
import type { RateStanding } from "../limits.ts";
import { storeSilent } from "../refusal.ts";
import type { Claim } from "./claim.ts";
import { Counter, type CounterPurse } from "./counter.ts";
import { Hand } from "./hand.ts";
import { Outlook } from "./outlook.ts";
import { Shortage } from "./shortage.ts";
import { type Conditions, type Operation, Supply } from "./supply.ts";

export interface PurseDesk {
  readonly pollMs: number;
  readonly recallWaitMs: number;
  /** Whether the bank has answered lately. */
  readonly isReachable: boolean;
  /** Monotonic. */
  nowMs(): number;
  /** Looks at what the purse wants of the bank, in this turn of the event loop. */
  wake(purse: Purse): void;
  /** Asks other owners for what they have idle. */
  recall(purse: Purse): void;
  /** A request took what an allowance that does not refuse had no room for. */
  passedLimit(allowance: Allowance, subject: string): void;
}

/** How long the word of the bank counts that nothing limits an account any more. */
const UNLIMITED_MS = 1_000;
/** How old the bank's word may be for who wants to know how an account stands. */
const LOOK_MS = 250;
/** No request waits for longer, or for longer than two recalls. */
const WAIT_MAX_MS = 5_000;

export class Purse implements CounterPurse {
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
  /** `null`: the bank has not said that nothing limits it. */
  #unlimitedUntilMs: number | null = null;
  #looking: PromiseWithResolvers<void> | null = null;
  #lookedAtMs = -Infinity;

  /** `sequence`: of the last operation on the account under the same owner. */
  constructor(account: AccountKey, allowance: Allowance, desk: PurseDesk, sequence: number) {
    this.account = account;
    this.regime = regimeOf(allowance.meter, allowance.window);
    this.allowance = allowance;
    this.shortage = new Shortage(desk.recallWaitMs);
    this.#desk = desk;
    this.#counter = new Counter(this);
    this.#supply = new Supply(this.regime, desk.pollMs, desk.nowMs(), sequence);
  }

  get isUnlimited(): boolean {
    return this.#unlimitedUntilMs !== null;
  }

  get isWaitedFor(): boolean {
    return !this.#counter.line.isEmpty;
  }

  /** Of the last operation that was answered; 0 before the first. */
  get sequence(): number {
    return this.#supply.sequence;
  }

  /** Nothing is in hand, nobody waits, and nothing is under way. */
  get isAtRest(): boolean {
    return this.hand.all === 0n && !this.isWaitedFor && this.#supply.isAtRest && !this.isUnlimited;
  }

  /** Whether a request that came as the `order`th finds `amount` here. What it finds it takes at once. */
  covers(amount: Amount, order: number): boolean {
    return this.#counter.covers(amount, order);
  }

  /** Of what is covered. `null`: nothing limits the account now, so nothing is held of it. */
  take(amount: Amount): Amount | null {
    if (amount > this.hand.free) return null;
    if (amount === 0n) return amount;
    if (this.allowance.mode !== "enforce") this.#judge(amount);
    this.hand.take(amount);
    this.#supply.pace.take(amount);
    if (this.hand.free < this.#supply.lowWater) this.#desk.wake(this);
    return amount;
  }

  /** Ends a holding as far as it was used. Returns how much of `used` it covers; the rest is overdraft. */
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
    this.hand.release(amount, heldLong && this.regime === "rate");
    this.#supply.pace.release(amount);
    this.shortage.forget();
    if (!this.isWaitedFor) return;
    this.#counter.serve();
    this.#desk.wake(this);
  }

  /** Lets the claim wait here for its amount. Throws the refusal if that is known to be pointless. */
  admit(claim: Claim): void {
    if (this.#supply.isUnknown) throw storeSilent(this.#desk.pollMs);
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

  recall(): void {
    this.#desk.recall(this);
  }

  /** Resolves when what is known of the account is recent. Rejects with `storage_unavailable`. */
  async look(): Promise<void> {
    if (this.isUnlimited || this.#desk.nowMs() - this.#lookedAtMs < LOOK_MS) return;
    if (this.#supply.isUnknown) throw storeSilent(this.#desk.pollMs);
    this.#looking ??= Promise.withResolvers();
    this.#supply.isLookedAt = true;
    this.#desk.wake(this);
    await this.#looking.promise;
  }

  /** What could be held now, over all processes. `null`: nothing limits it, or nothing is known. */
  room(): Amount | null {
    return this.isUnlimited ? null : this.outlook.room(this.hand.free, this.allowance, this.#desk.nowMs());
  }

  /** Of a rate that callers are told of; `null` for everything else, and as long as nothing is known. */
  rateStanding(): RateStanding | null {
    const { standing } = this.outlook;
    const room = this.room();
    if (this.regime !== "rate" || this.allowance.mode === "shadow" || standing === null || room === null) return null;
    const remaining = room > 0n ? room : 0n;
    return { limit: standing.limit, remaining, resetMs: this.outlook.fullInMs(room, this.allowance) };
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
    if (this.isWaitedFor) this.#sendAway(nowMs);
    this.#supply.isClosing = isClosing;
    return this.#supply.turn(this.hand, this.#counter.line, this.#conditions(nowMs));
  }

  /** The next operation to ask of the bank; `null`: none now. */
  begin(): Operation | null {
    return this.#supply.begin(this.hand, this.#counter.line, this.#conditions(this.#desk.nowMs()));
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
    if (standing !== null) this.outlook.learn(standing, granted, this.allowance, nowMs);
    // What a repeated one was refused may be there by now.
    if (standing !== null && granted === 0n && !operation.isRepeated) {
      this.shortage.refused(operation.errand.need, retryAfterMs, nowMs);
      this.#supply.refused();
      this.#counter.refuse(operation.errand.need, nowMs);
    }
    this.#looked(nowMs);
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
    this.fail(storeSilent(this.#desk.pollMs));
  }

  /** Whoever waits here is refused. */
  fail(failure: HeadgateError): void {
    this.#supply.isLookedAt = false;
    this.#looking?.reject(failure);
    this.#looking = null;
    this.#counter.fail(failure);
  }

  #sendAway(nowMs: number): void {
    const { pollMs, recallWaitMs } = this.#desk;
    const waitMsMax = Math.max(WAIT_MAX_MS, 2 * recallWaitMs);
    this.#counter.sendAway(nowMs - waitMsMax, storeSilent(pollMs), nowMs);
  }

  #judge(amount: Amount): void {
    if (this.outlook.hadRoom(amount, this.hand.free, this.allowance, this.#desk.nowMs())) return;
    this.#desk.passedLimit(this.allowance, this.account.subject);
  }

  #looked(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    this.#supply.isLookedAt = false;
    this.#looking?.resolve();
    this.#looking = null;
  }

  #conditions(nowMs: number): Conditions {
    return {
      drawable: this.outlook.drawable(this.allowance, nowMs),
      mayBeRefused: this.allowance.mode === "enforce",
      isRefused: (need) => this.shortage.covers(need, nowMs),
      isReachable: this.#desk.isReachable,
      nowMs,
    };
  }
}
