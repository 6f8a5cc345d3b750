/**
 * One life of this process at the bank, under one id and one lease, with the purses that are filled under it.
 *
 *   living ──retire: it knows too many accounts, or the process closes──▶ retired ──seal──▶ sealed ──▶ finished
 *      ├──────────────── the bank has counted otherwise than it ────────────────────────────▲            ▲
 *      └──────────────── fenced: the bank says that its lease is over ───────────────────────────────────┘
 *
 * Living, it serves new requests. Retired, it keeps its lease, serves who waits still, gives back what gets free and reports
 * what it has to. Sealed, it only keeps its lease; fenced, it can do nothing more. Its open reservations settle under its
 * id, and it is finished at the bank when the last one's moves are committed and delivered: what is left of its grants is
 * available again then.
 *
 * Invariant: nothing is taken from its purses once its lease may be over, but of allowances that do not refuse: there it
 * makes no difference to anybody. The lease counts from before its renewal was sent, by the monotonic clock, less a margin
 * for clocks that run at different speeds.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { AccountKey, Bank, LeaseState } from "../../storage/escrow/bank.ts";
import type { Allowance } from "../allowance.ts";
import { outOfTouch, ownerFenced, storeSilent, tooManyAccounts } from "../refusal.ts";
import type { BankTime } from "./bank-time.ts";
import type { ClaimOwner } from "../escrow/claim.ts";
import { createClosedDesk } from "../escrow/desk.ts";
import { HeldReport } from "./held-report.ts";
import { Purse } from "../escrow/purse.ts";
import { Teller, type TellerDeps } from "../escrow/teller.ts";

export interface OwnerDeps extends Omit<TellerDeps, "fenced" | "contradicted" | "bank"> {
  readonly bank: Bank;
  readonly bankTime: BankTime;
  readonly leaseMs: number;
}

/** The part of the lease that is used. */
const LEASE_USED = 0.9;
/** With so many accounts the process goes on under a new id: ids of end users are the callers' choice, and without end. */
const ACCOUNTS_MAX = 10_000;
/** How long after the end of its window an account is kept: requests that began in it may still grow. */
const ENDED_KEPT_MS = 3_600_000;
/** How long, once it is retired, it may keep the process from finishing it for want of an answer to what it reports. */
const REPORT_MS_MAX = 1_000;
/** Purses for which nobody here waits, in one poll: what they ask of the bank must not keep it from the others. */
const UNHURRIED_MAX = 50;

export class Owner implements ClaimOwner {
  readonly id: string;
  /** Reservations whose moves are not committed yet. Counted by them. */
  openCount = 0;
  waitingCount = 0;
  /** Called when it must be replaced at once. Set by whoever can. */
  replace: () => void = () => {};
  readonly #deps: OwnerDeps;
  readonly #teller: Teller;
  readonly #purses = new Map<string, Purse>();
  readonly #held = new HeldReport();
  /** Of accounts whose purses are gone, the number of the last operation: one that is made again counts on from it. */
  readonly #sequences = new Map<string, number>();
  #state: "living" | "retired" | "sealed" | "fenced" | "finished" = "living";
  /** Monotonic. */
  #usableUntilMs: number;
  #retiredAtMs = Infinity;
  #isRenewing = false;

  /** `registeredMs`: monotonic, before the registration was sent. */
  constructor(id: string, registeredMs: number, deps: OwnerDeps) {
    this.id = id;
    this.#deps = deps;
    this.#teller = new Teller(id, { ...deps, fenced: () => this.#fence(), contradicted: () => this.#contradicted() });
    this.#usableUntilMs = registeredMs + LEASE_USED * deps.leaseMs;
  }

  get isFenced(): boolean {
    return this.#state === "fenced";
  }

  get isFinished(): boolean {
    return this.#state === "finished";
  }

  /** Nothing is drawn or used under it any more. */
  get isOver(): boolean {
    return this.#state !== "living" && this.#state !== "retired";
  }

  /** Neither a reservation nor a request that waits can still use its grants, and it has nothing more to say. */
  get isSettled(): boolean {
    return this.openCount === 0 && this.waitingCount === 0 && !this.#isReporting;
  }

  /** Knows as many accounts as one owner may. */
  get isFull(): boolean {
    return this.#accountCount >= ACCOUNTS_MAX;
  }

  nowMs(): number {
    return this.#deps.nowMs();
  }

  /** Throws `storage_unavailable` unless its purses may be used. */
  assertUsable(nowMs: number): void {
    if (nowMs < this.#usableUntilMs) return;
    throw outOfTouch(this.#teller.retryAfterMs);
  }

  /** The same, for an answer that it was reserved for. Throws `owner_fenced` if waiting cannot help. */
  assertExtensible(nowMs: number): void {
    if (this.isOver) throw ownerFenced();
    this.assertUsable(nowMs);
  }

  purseOf(account: AccountKey, allowance: Allowance): Purse {
    const known = this.#purses.get(account.accountId);
    if (known !== undefined) {
      known.allowance = allowance;
      return known;
    }
    if (this.#accountCount >= 2 * ACCOUNTS_MAX) {
      if (allowance.mode === "enforce") throw tooManyAccounts(this.#accountCount);
      return new Purse(account, allowance, createClosedDesk(this.#teller), 0);
    }
    const { accountId } = account;
    const purse = new Purse(account, allowance, this.#teller, this.#sequences.get(accountId) ?? 0);
    this.#sequences.delete(accountId);
    this.#purses.set(accountId, purse);
    return purse;
  }

  /** Allowances may say something else now. */
  forgetAnswers(): void {
    for (const purse of this.#purses.values()) purse.forgetAnswers();
  }

  /** No new request is reserved under it. `failure`: for those who wait, if they shall not. */
  retire(failure: HeadgateError | null): void {
    if (this.#state === "living") {
      this.#state = "retired";
      this.#retiredAtMs = this.nowMs();
    }
    if (failure !== null) this.#failAll(failure);
  }

  /** Renews the lease, repeats what was not answered, and looks at what each purse has too much or too little of. */
  poll(): void {
    if (this.isFenced || this.isFinished) return;
    const nowMs = this.nowMs();
    const bankNowMs = this.#deps.bankTime.at(nowMs);
    if (!this.#isRenewing) void this.#renew(nowMs);
    if (this.isOver) return;
    this.#teller.repeat(this.#purses.values());
    this.#turnPurses(bankNowMs);
  }

  /** From now on nothing is drawn or used under it. */
  seal(): void {
    if (!this.isOver) this.#end("sealed");
  }

  /** It is over, and `next` is in its place: what it has not reported or judged is left to that one. */
  bequeath(next: Owner): void {
    for (const purse of this.#purses.values()) {
      if (purse.hasToSay) next.purseOf(purse.account, purse.allowance).inherit(purse);
    }
    this.#purses.clear();
  }

  /** It is finished at the bank. */
  finish(): void {
    this.#end("finished");
    for (const purse of this.#purses.values()) purse.finish();
  }

  #turnPurses(bankNowMs: number): void {
    let unhurried = UNHURRIED_MAX;
    for (const purse of this.#purses.values()) {
      const { accountId, windowEndMs } = purse.account;
      const isOver = windowEndMs !== null && windowEndMs <= bankNowMs;
      if (purse.turn(isOver || this.#state !== "living") && (purse.isWaitedFor || unhurried-- > 0)) {
        this.#teller.wake(purse);
      }
      if (isOver && windowEndMs + ENDED_KEPT_MS <= bankNowMs && purse.isAtRest) this.#forget(accountId, purse.sequence);
    }
  }

  #forget(accountId: string, sequence: number): void {
    this.#purses.delete(accountId);
    if (sequence > 0) this.#sequences.set(accountId, sequence);
  }

  async #renew(sentMs: number): Promise<void> {
    this.#isRenewing = true;
    const holdings = this.#held.next(this.#purses.values(), sentMs);
    this.#deps.reach.tries(sentMs);
    try {
      const lease = await this.#deps.bank.renew(this.id, this.#deps.leaseMs, holdings);
      this.#renewed(lease, sentMs);
      this.#deps.reach.answered();
    } catch (thrown) {
      this.#held.unheard();
      this.#deps.reach.triedInVain(thrown, this.nowMs());
    }
    this.#isRenewing = false;
  }

  #renewed(lease: LeaseState, sentMs: number): void {
    this.#deps.bankTime.learn(lease.nowMs, sentMs, this.nowMs());
    if (!lease.alive) {
      this.#fence();
      return;
    }
    if (this.isOver) return;
    this.#usableUntilMs = sentMs + LEASE_USED * this.#deps.leaseMs;
    let unhurried = UNHURRIED_MAX;
    for (const accountId of lease.recalled) {
      const purse = this.#purses.get(accountId);
      purse?.recalled();
      if (purse !== undefined && unhurried-- > 0) this.#teller.wake(purse);
    }
  }

  #fence(): void {
    if (this.isOver) return;
    this.#end("fenced");
    this.replace();
  }

  /** What the bank answers once it would answer always: only another owner counts from the beginning again. */
  #contradicted(): void {
    this.seal();
    this.replace();
  }

  #end(state: "sealed" | "fenced" | "finished"): void {
    this.#state = state;
    this.#usableUntilMs = -Infinity;
    this.#teller.stop();
    this.#failAll(storeSilent(this.#teller.retryAfterMs));
    this.#sequences.clear();
  }

  get #isReporting(): boolean {
    if (this.isOver || this.nowMs() - this.#retiredAtMs >= REPORT_MS_MAX) return false;
    return this.#purses.values().some((purse) => purse.hasToSay);
  }

  get #accountCount(): number {
    return this.#purses.size + this.#sequences.size;
  }

  #failAll(failure: HeadgateError): void {
    for (const purse of this.#purses.values()) purse.fail(failure);
  }
}
