/**
 * One account as the requests of this process see it: what is in hand (hand.ts), who waits for more (waiting-line.ts),
 * what is known of the account (outlook.ts), what the bank refused lately (shortage.ts). Its side to the bank is supply.ts.
 *
 *   enough ──too little in hand──▶ drawing ──granted──▶ enough
 *                                     │ refused
 *                                     ├── others hold nothing that would help ──▶ the request is refused
 *                                     └── they do ──▶ recalling ──enough; asked again each poll──▶ enough
 *                                                         └── the wait for it is over ──▶ the request is refused
 *
 * Invariant: what was found to be there (`covers`) is taken in the same turn of the event loop, and by nobody who came
 * after somebody who waits for a draw.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { AccountKey, Amount, DrawResult } from "../../storage/escrow/bank.ts";
import { type Allowance, type Regime, regimeOf } from "../allowance.ts";
import type { RateStanding } from "../limits.ts";
import { limitReached, storeSilent } from "../refusal.ts";
import type { Claim } from "./claim.ts";
import { Hand } from "./hand.ts";
import { Outlook } from "./outlook.ts";
import { Shortage } from "./shortage.ts";
import { type Conditions, type Operation, Supply } from "./supply.ts";
import { WaitingLine } from "./waiting-line.ts";

export interface PurseDesk {
  readonly pollMs: number;
  readonly recallWaitMs: number;
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
/** No request waits for longer, whatever for. */
const WAIT_MAX_MS = 5_000;

export class Purse {
  readonly account: AccountKey;
  readonly regime: Regime;
  readonly outlook: Outlook = new Outlook();
  /** In the teller's list of those to be looked at. Written by it alone. */
  isDue = false;
  readonly #desk: PurseDesk;
  readonly #hand = new Hand();
  readonly #line = new WaitingLine();
  readonly #supply: Supply;
  readonly #shortage: Shortage;
  #allowance: Allowance;
  /** `null`: the bank has not said that nothing limits it. */
  #unlimitedUntilMs: number | null = null;
  #looking: PromiseWithResolvers<void> | null = null;
  #lookedAtMs = -Infinity;

  constructor(account: AccountKey, allowance: Allowance, desk: PurseDesk) {
    this.account = account;
    this.regime = regimeOf(allowance.meter, allowance.window);
    this.#allowance = allowance;
    this.#desk = desk;
    this.#supply = new Supply(this.regime, desk.pollMs, desk.nowMs());
    this.#shortage = new Shortage(desk.recallWaitMs);
  }

  /** As it was when the purse was last looked up. */
  get allowance(): Allowance {
    return this.#allowance;
  }

  set allowance(allowance: Allowance) {
    this.#allowance = allowance;
  }

  get free(): Amount {
    return this.#hand.free;
  }

  /** Nothing is in hand, nobody waits, and nothing is under way. */
  get isAtRest(): boolean {
    return this.#hand.all === 0n && this.#line.isEmpty && this.#supply.isAtRest && this.#unlimitedUntilMs === null;
  }

  get isWaitedFor(): boolean {
    return !this.#line.isEmpty;
  }

  /** Whether a request that came as the `order`th finds `amount` here. What it finds it takes at once. */
  covers(amount: Amount, order: number): boolean {
    if (amount <= this.#hand.free && order < this.#line.barrier) return true;
    return amount === 0n || this.#unlimitedUntilMs !== null;
  }

  /** Of what is covered. `null`: nothing limits the account now, so nothing is held of it. */
  take(amount: Amount): Amount | null {
    const hand = this.#hand;
    if (amount > hand.free) return null;
    if (this.#allowance.mode !== "enforce") this.#observe(amount);
    hand.take(amount);
    this.#supply.pace.taken += amount;
    if (hand.free < this.#supply.lowWater) this.#desk.wake(this);
    return amount;
  }

  /** Ends a holding as far as it was used. Returns how much of `used` it covers; the rest is overdraft. */
  settle(held: Amount, used: Amount): Amount {
    const covered = this.#hand.settle(held, used);
    if (used > covered) this.outlook.overdrew(used - covered);
    return covered;
  }

  /**
   * What was held and not used is free again. Of a rate, if it was held for long, it goes back to the bank instead, which
   * knows how much of it has drained meanwhile.
   */
  release(amount: Amount, heldLong: boolean): void {
    this.#hand.release(amount, heldLong && this.regime === "rate");
    this.#shortage.forget();
    if (this.#line.isEmpty) return;
    this.#serve();
    this.#desk.wake(this);
  }

  /** Lets the claim wait here for its amount. Throws the refusal if that is known to be pointless. */
  admit(claim: Claim): void {
    const nowMs = this.#desk.nowMs();
    if (this.#supply.isUnknown) throw storeSilent(this.#desk.pollMs);
    const lacking = claim.amount - this.#hand.free;
    if (lacking > 0n && this.#shortage.covers(lacking, nowMs)) {
      const deadlineMs = this.#recallDeadline(claim.amount, nowMs);
      if (deadlineMs === null || nowMs >= deadlineMs) throw this.#refusal(claim.amount, nowMs);
      claim.waitForRecall(deadlineMs);
    }
    this.#line.add(claim);
    this.#desk.wake(this);
  }

  /** Lets the claim go, unanswered. */
  dismiss(claim: Claim): void {
    this.#line.delete(claim);
    this.#serve();
  }

  /** Of a request that waits at another purse: so much more will be needed here, or less. */
  expect(change: Amount): void {
    this.#supply.expect(change);
    this.#desk.wake(this);
  }

  /** Resolves when what is known of the account is recent. Rejects with `storage_unavailable`. */
  async look(): Promise<void> {
    if (this.#unlimitedUntilMs !== null || this.#desk.nowMs() - this.#lookedAtMs < LOOK_MS) return;
    if (this.#supply.isUnknown) throw storeSilent(this.#desk.pollMs);
    this.#looking ??= Promise.withResolvers();
    this.#supply.isLookedAt = true;
    this.#desk.wake(this);
    await this.#looking.promise;
  }

  /** What could be held now, over all processes. `null`: nothing limits it. */
  room(): Amount | null {
    if (this.#unlimitedUntilMs !== null) return null;
    return this.outlook.room(this.#hand.free, this.#allowance, this.#desk.nowMs());
  }

  /** Of a rate that callers are told of; `null` for everything else, and as long as nothing is known. */
  rateStanding(): RateStanding | null {
    const { standing } = this.outlook;
    if (this.regime !== "rate" || this.#allowance.mode === "shadow" || standing === null) return null;
    const room = this.room();
    if (room === null) return null;
    const remaining = room > 0n ? room : 0n;
    return { limit: standing.limit, remaining, resetMs: this.outlook.fullInMs(room, this.#allowance) };
  }

  /** Other owners need what is idle here. */
  recalled(): void {
    this.#supply.recalled(this.#desk.nowMs());
    this.#desk.wake(this);
  }

  /** The allowance may say something else now. */
  forgetAnswers(): void {
    this.#unlimitedUntilMs = null;
    this.#shortage.forget();
  }

  /** Other owners were not told of the recall. */
  recallFailed(): void {
    this.#shortage.recallFailed();
  }

  /** Each poll. `isClosing`: its window or its owner is at an end. Returns whether there is something to ask of the bank. */
  turn(isClosing: boolean): boolean {
    if (this.isAtRest) return false;
    const nowMs = this.#desk.nowMs();
    if (this.#unlimitedUntilMs !== null && nowMs >= this.#unlimitedUntilMs) this.#unlimitedUntilMs = null;
    if (!this.#line.isEmpty) this.#sendAway(nowMs - WAIT_MAX_MS);
    this.#supply.isClosing = isClosing;
    return this.#supply.turn(this.#hand, this.#line, this.#conditions(nowMs));
  }

  /** The next operation to ask of the bank; `null`: none now. */
  begin(): Operation | null {
    return this.#supply.begin(this.#hand, this.#line, this.#conditions(this.#desk.nowMs()));
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
    this.#hand.receive(granted);
    this.#unlimitedUntilMs = standing === null ? nowMs + UNLIMITED_MS : null;
    if (standing !== null) {
      this.outlook.learn(standing, granted, this.#allowance, nowMs);
      // What a repeated one was refused may be there now.
      if (granted === 0n && !operation.isRepeated) this.#refuse(operation.errand.need, retryAfterMs, nowMs);
    }
    this.#looked(nowMs);
    this.#serve();
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
    for (const claim of this.#line.claims) this.#end(claim, failure);
  }

  /** Lets go on whoever finds enough now. Those who wait for a recall may be in front of eager ones, or behind. */
  #serve(): void {
    this.#serveRecalling();
    let first = this.#line.firstEager;
    if (first === undefined || !this.#suffices(first.amount)) return;
    for (; first !== undefined && this.#suffices(first.amount); first = this.#line.firstEager) this.#resume(first);
    this.#serveRecalling();
  }

  #serveRecalling(): void {
    for (const claim of this.#line.recalling) {
      if (this.covers(claim.amount, claim.order)) this.#resume(claim);
    }
  }

  #suffices(amount: Amount): boolean {
    return amount <= this.#hand.free || this.#unlimitedUntilMs !== null;
  }

  /** The bank has refused a draw of `need`, and with it those who lack as much. */
  #refuse(need: Amount, retryAfterMs: number | null, nowMs: number): void {
    this.#shortage.refused(need, retryAfterMs, nowMs);
    this.#supply.refused();
    const drawable = this.outlook.drawable(this.#allowance, nowMs) ?? 0n;
    for (const claim of this.#line.claims) {
      const lacking = claim.amount - this.#hand.free;
      const isRecalling = claim.deadlineMs !== null;
      if (lacking >= need || (isRecalling && lacking > drawable)) this.#refuseClaim(claim, nowMs);
      else if (isRecalling) this.#relist(claim, () => claim.waitForDraw());
    }
  }

  #refuseClaim(claim: Claim, nowMs: number): void {
    const deadlineMs = this.#recallDeadline(claim.amount, nowMs);
    if (deadlineMs === null || nowMs >= (claim.deadlineMs ?? deadlineMs)) {
      this.#end(claim, this.#refusal(claim.amount, nowMs));
    } else if (claim.deadlineMs === null) {
      this.#relist(claim, () => claim.waitForRecall(deadlineMs));
    }
  }

  /** Until when others may give back what `amount` lacks; they are asked for it. `null`: that cannot help. */
  #recallDeadline(amount: Amount, nowMs: number): number | null {
    const { standing } = this.outlook;
    if (standing === null || !this.#shortage.mayWait) return null;
    const inOtherHands = standing.granted - this.#hand.all;
    const drawable = this.outlook.drawable(this.#allowance, nowMs) ?? 0n;
    if (inOtherHands <= 0n || drawable + inOtherHands + this.#hand.free < amount) return null;
    if (this.regime === "rate" && amount > standing.limit) return null;
    if (this.#shortage.isRecallDue(nowMs)) {
      this.#shortage.recalled(nowMs);
      this.#desk.recall(this);
    }
    return this.#shortage.waitUntilMs;
  }

  #refusal(amount: Amount, nowMs: number): HeadgateError {
    return limitReached({
      allowance: this.#allowance,
      account: this.account,
      amount,
      standing: this.outlook.standing,
      roomInMs: this.#shortage.roomInMs(nowMs),
    });
  }

  #sendAway(beforeMs: number): void {
    for (const claim of this.#line.claims) {
      if (claim.sinceMs <= beforeMs) this.#end(claim, storeSilent(this.#desk.pollMs));
    }
  }

  #resume(claim: Claim): void {
    this.#line.delete(claim);
    claim.resume();
  }

  #end(claim: Claim, failure: HeadgateError): void {
    this.#line.delete(claim);
    claim.fail(failure);
  }

  /** Changes what the claim waits for, and with it its place in line. */
  #relist(claim: Claim, change: () => void): void {
    this.#line.delete(claim);
    change();
    this.#line.add(claim);
  }

  #looked(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    this.#supply.isLookedAt = false;
    this.#looking?.resolve();
    this.#looking = null;
  }

  #observe(amount: Amount): void {
    const room = this.outlook.room(this.#hand.free, this.#allowance, this.#desk.nowMs());
    if (room === null || room >= amount) return;
    this.outlook.tookBeyond(amount);
    this.#desk.passedLimit(this.#allowance, this.account.subject);
  }

  #conditions(nowMs: number): Conditions {
    const drawable = this.outlook.drawable(this.#allowance, nowMs);
    const isRefused = (need: Amount): boolean => this.#shortage.covers(need, nowMs);
    return { drawable, mayBeRefused: this.#allowance.mode === "enforce", isRefused, nowMs };
  }
}
