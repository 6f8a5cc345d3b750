/**
 * A purse's side to the bank: how much should be in hand, by recent use, and the operation that is under way.
 *
 *   none ──begin──▶ asked ──answered──▶ none
 *                   ▲   └─unanswered──▶ unknown
 *                   └──────repeat─────────┘
 *
 * Invariant: one operation at a time, numbered without gaps. One that was not answered may have been executed, so it is
 * repeated as it was until it is answered, before there is another. Refusals travel with operations, so each is counted
 * once at the bank, or, if the owner is fenced or dies before the answer, perhaps not at all.
 */
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Regime } from "../allowance.ts";
import { type Errand, planErrand } from "./errand.ts";
import type { Hand } from "./hand.ts";
import { Pace } from "./pace.ts";
import type { WaitingLine } from "./waiting-line.ts";

export interface Operation {
  readonly errand: Errand;
  readonly sequence: number;
  /** Of a return: free and stale together. It is in hand no more. */
  readonly amount: Amount;
  /** Carried with it. */
  readonly refusals: number;
  state: "asked" | "unknown";
  isRepeated: boolean;
}

/** After others needed what was idle: so long only what requests need is drawn, and what gets free is given back. */
const EXACT_MS = 5_000;
/** What is not used for so long goes back. */
const idleMs: Readonly<Record<Regime, number>> = { budget: 10_000, rate: 1_000, slots: 1_000 };
/** Refusals wait for so long for another operation to travel with. */
const REPORT_MS = 1_000;
/** Nothing is drawn ahead from an account that has less than so many times as much. */
const PLENTY = 4n;
/** To go on without the bank no more than this part of what it has is in hand: the less is left, the less lies idle. */
const AHEAD_PART = 8n;

export interface Conditions {
  /** What could be drawn, as far as is known; `null`: unknown. */
  readonly drawable: Amount | null;
  readonly isRefused: (need: Amount) => boolean;
  readonly isReachable: boolean;
  /** Monotonic. */
  readonly nowMs: number;
}

export class Supply {
  readonly pace: Pace;
  /** When less is free, more is drawn ahead. */
  lowWater: Amount = 0n;
  isRecalled = false;
  isLookedAt = false;
  /** Its window or its owner is at an end: it keeps nothing. */
  isClosing = false;
  readonly #regime: Regime;
  #operation: Operation | null = null;
  #sequence: number;
  #expected: Amount = 0n;
  #mayAskAgain = true;
  #unreported = 0;
  #countedAtMs = 0;
  #target: Amount = 0n;
  #keep: Amount | null = null;
  #exactUntilMs = -Infinity;
  #usedAtMs: number;

  constructor(regime: Regime, pollMs: number, nowMs: number, sequence: number) {
    this.pace = new Pace(regime, pollMs);
    this.#regime = regime;
    this.#usedAtMs = nowMs;
    this.#sequence = sequence;
  }

  /** Of the last operation that was answered; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  get isUnknown(): boolean {
    return this.#operation?.state === "unknown";
  }

  /** Since the last turn in which the bank refused. */
  get mayAskAgain(): boolean {
    return this.#mayAskAgain;
  }

  /** Refusals that the bank has not heard of, as far as is known. */
  get unreported(): number {
    return this.#unreported;
  }

  /** No operation is under way, nothing is wanted, and nothing was used lately. */
  get isAtRest(): boolean {
    return (
      this.#operation === null &&
      this.#expected === 0n &&
      this.#unreported === 0 &&
      !this.isRecalled &&
      !this.isLookedAt &&
      this.pace.isForgotten
    );
  }

  /** Of requests that wait at other purses: so much more will be needed here, or less. */
  expect(change: Amount): void {
    this.#expected += change;
  }

  /** So many requests were refused here, or would have been. */
  countRefusals(count: number, nowMs: number): void {
    if (this.#unreported === 0) this.#countedAtMs = nowMs;
    this.#unreported += count;
  }

  /** Those that travel with no operation: another will report them. */
  takeRefusals(): number {
    const count = this.#unreported - (this.#operation?.refusals ?? 0);
    this.#unreported -= count;
    return count;
  }

  /** Others need what is idle. */
  recalled(nowMs: number): void {
    this.isRecalled = true;
    this.#exactUntilMs = nowMs + EXACT_MS;
  }

  /** Each poll. Returns whether there is something to ask of the bank. */
  turn(hand: Hand, line: WaitingLine, conditions: Conditions): boolean {
    if (this.pace.wasUsed) this.#usedAtMs = conditions.nowMs;
    this.pace.turn();
    this.#mayAskAgain = true;
    this.review(conditions);
    this.#keep = this.#kept(hand.free, conditions.nowMs);
    return this.#operation === null && this.#plan(hand, line, conditions) !== null;
  }

  /** How much should be free now. */
  review({ drawable, nowMs }: Conditions): void {
    const keepsNothing = this.#keepsNothing(nowMs);
    const least = keepsNothing ? 0n : this.pace.wanted;
    this.#target = least;
    this.lowWater = 0n;
    if (drawable !== null && drawable >= PLENTY * least) {
      this.#target = keepsNothing ? 0n : this.#ahead(least, drawable);
      const half = (least + 1n) / 2n;
      this.lowWater = this.#target - least > half ? this.#target - least : half;
    }
    if (!keepsNothing && this.pace.wasUsed) this.#keep = null;
  }

  /** The next operation, to be asked of the bank; what it gives back is taken out of hand. `null`: there is none now. */
  begin(hand: Hand, line: WaitingLine, conditions: Conditions): Operation | null {
    if (this.#operation !== null) return null;
    this.review(conditions);
    const errand = this.#plan(hand, line, conditions);
    if (errand === null) return null;
    const amount = errand.kind === "return" ? hand.giveBack(errand.free) : 0n;
    // A return of nothing either answers a recall or reports.
    const isAnswer = errand.kind === "return" && amount === 0n && this.isRecalled;
    const refusals = isAnswer ? 0 : this.#unreported;
    if (refusals > 0) this.#countedAtMs = conditions.nowMs;
    this.#operation = { errand, sequence: this.#sequence + 1, amount, refusals, state: "asked", isRepeated: false };
    return this.#operation;
  }

  /** The bank has refused: until the next turn nobody asks again for whom that would be pointless. */
  refused(): void {
    this.#mayAskAgain = false;
  }

  /** The operation under way, which is over. */
  answered(): Operation | null {
    const operation = this.#operation;
    if (operation === null) return null;
    this.#operation = null;
    this.#sequence = operation.sequence;
    this.#unreported -= operation.refusals;
    const isReport = operation.amount === 0n && operation.refusals > 0;
    if (operation.errand.kind === "return" && !isReport) this.isRecalled = false;
    return operation;
  }

  unanswered(): void {
    if (this.#operation !== null) this.#operation.state = "unknown";
  }

  /** The operation of which nobody knows whether it was executed, to be asked once more. */
  repeat(): Operation | null {
    if (this.#operation?.state !== "unknown") return null;
    this.#operation.state = "asked";
    this.#operation.isRepeated = true;
    return this.#operation;
  }

  #plan(hand: Hand, line: WaitingLine, { isRefused, isReachable, nowMs }: Conditions): Errand | null {
    return planErrand({
      free: hand.free,
      stale: hand.stale,
      line,
      isRecalled: this.isRecalled,
      mayAskAgain: this.#mayAskAgain,
      expected: this.#expected,
      isRefused,
      isReachable,
      isLookedAt: this.isLookedAt,
      keep: this.#keep,
      target: this.#target,
      lowWater: this.lowWater,
      isReportDue: this.#unreported > 0 && (this.isClosing || nowMs - this.#countedAtMs >= REPORT_MS),
    });
  }

  /** `least`: what should be free in any case. */
  #ahead(least: Amount, drawable: Amount): Amount {
    const part = drawable / AHEAD_PART;
    const { wantedAhead } = this.pace;
    const ahead = wantedAhead < part ? wantedAhead : part;
    return ahead > least ? ahead : least;
  }

  /** Of what is free. `null`: all. Between once and twice of what is enough nothing is moved to and fro. */
  #kept(free: Amount, nowMs: number): Amount | null {
    if (this.#keepsNothing(nowMs)) return 0n;
    if (this.#regime === "budget") return null;
    const twice = 2n * this.pace.recent;
    const enough = this.#target > twice ? this.#target : twice;
    return free > 2n * enough ? enough : null;
  }

  #keepsNothing(nowMs: number): boolean {
    const isIdle = !this.pace.wasUsed && nowMs - this.#usedAtMs >= idleMs[this.#regime];
    return this.isClosing || isIdle || nowMs < this.#exactUntilMs;
  }
}
