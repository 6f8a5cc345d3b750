/**
 * One life of this process at the bank, under one id and one lease, with the purses that are filled under it.
 *
 *   living ──retire: it knows too many accounts, or the process closes──▶ retired ──▶ finished
 *      └──────────────── fenced: the bank says that its lease is over ───────────────────▲
 *
 * Living, it serves new requests. Retired, it keeps its lease and gives back what gets free; fenced, it can do nothing
 * more. In both its open reservations settle under its id, and it is finished at the bank when the last one's moves are
 * committed and delivered: what is left of its grants is available again then.
 *
 * Invariant: nothing is taken from its purses once its lease may be over. The lease counts from before its renewal was
 * sent, by the monotonic clock, less a margin for clocks that run at different speeds.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { AccountKey, Bank, LeaseState } from "../../storage/escrow/bank.ts";
import type { Allowance } from "../allowance.ts";
import { outOfTouch, ownerFenced, storeSilent, tooManyAccounts } from "../refusal.ts";
import type { BankTime } from "./bank-time.ts";
import { Purse } from "./purse.ts";
import { Teller, type TellerDeps } from "./teller.ts";

export interface OwnerDeps extends Omit<TellerDeps, "fenced" | "bank"> {
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
/** Purses for which nobody here waits, in one poll: what they ask of the bank must not keep it from the others. */
const UNHURRIED_MAX = 50;

export class Owner {
  readonly id: string;
  /** Reservations whose moves are not committed yet. Counted by them. */
  openCount = 0;
  readonly #deps: OwnerDeps;
  readonly #teller: Teller;
  readonly #purses = new Map<string, Purse>();
  #state: "living" | "retired" | "fenced" | "finished" = "living";
  /** Monotonic. */
  #usableUntilMs: number;
  #isRenewing = false;

  /** `registeredMs`: monotonic, before the registration was sent. */
  constructor(id: string, registeredMs: number, deps: OwnerDeps) {
    this.id = id;
    this.#deps = deps;
    this.#teller = new Teller(id, { ...deps, fenced: () => this.#fence() });
    this.#usableUntilMs = registeredMs + LEASE_USED * deps.leaseMs;
  }

  get isFenced(): boolean {
    return this.#state === "fenced";
  }

  get isFinished(): boolean {
    return this.#state === "finished";
  }

  /** Fenced or finished. */
  get isOver(): boolean {
    return this.isFenced || this.isFinished;
  }

  /** Knows as many accounts as one owner may. */
  get isFull(): boolean {
    return this.#purses.size >= ACCOUNTS_MAX;
  }

  nowMs(): number {
    return this.#deps.nowMs();
  }

  /** Whether its purses may be used. */
  isUsable(nowMs: number): boolean {
    return nowMs < this.#usableUntilMs;
  }

  /** Throws `owner_fenced` or `storage_unavailable` unless its purses may be used. */
  assertUsable(nowMs: number): void {
    if (nowMs < this.#usableUntilMs) return;
    throw this.isFenced ? ownerFenced() : outOfTouch(this.#deps.pollMs);
  }

  purseOf(account: AccountKey, allowance: Allowance): Purse {
    const known = this.#purses.get(account.accountId);
    if (known !== undefined) {
      known.allowance = allowance;
      return known;
    }
    if (this.#purses.size >= 2 * ACCOUNTS_MAX) throw tooManyAccounts(this.#purses.size);
    const purse = new Purse(account, allowance, this.#teller);
    this.#purses.set(account.accountId, purse);
    return purse;
  }

  /** Allowances may say something else now. */
  forgetAnswers(): void {
    for (const purse of this.#purses.values()) purse.forgetAnswers();
  }

  /** No new request is reserved under it. `failure`: for those who wait, if they shall not. */
  retire(failure: HeadgateError | null): void {
    if (this.#state === "living") this.#state = "retired";
    if (failure !== null) this.#failAll(failure);
  }

  /** Renews the lease, repeats what was not answered, and looks at what each purse has too much or too little of. */
  poll(): void {
    if (this.#state === "fenced" || this.#state === "finished") return;
    const nowMs = this.nowMs();
    const bankNowMs = this.#deps.bankTime.at(nowMs);
    if (!this.#isRenewing) void this.#renew(nowMs);
    if (!this.isUsable(nowMs)) this.#failAll(outOfTouch(this.#deps.pollMs));
    this.#teller.repeat(this.#purses.values());
    this.#turnPurses(bankNowMs);
  }

  /** It is finished at the bank. */
  finish(): void {
    this.#end("finished");
  }

  #turnPurses(bankNowMs: number): void {
    let unhurried = UNHURRIED_MAX;
    for (const purse of this.#purses.values()) {
      const { accountId, windowEndMs } = purse.account;
      const isOver = windowEndMs !== null && windowEndMs <= bankNowMs;
      if (purse.turn(isOver || this.#state !== "living") && (purse.isWaitedFor || unhurried-- > 0)) {
        this.#teller.wake(purse);
      }
      if (isOver && windowEndMs + ENDED_KEPT_MS <= bankNowMs && purse.isAtRest) this.#purses.delete(accountId);
    }
  }

  async #renew(sentMs: number): Promise<void> {
    this.#isRenewing = true;
    try {
      this.#renewed(await this.#deps.bank.renew(this.id, this.#deps.leaseMs), sentMs);
      this.#deps.reach.answered();
    } catch (thrown) {
      this.#deps.reach.failed(thrown);
    }
    this.#isRenewing = false;
  }

  #renewed(lease: LeaseState, sentMs: number): void {
    this.#deps.bankTime.learn(lease.nowMs, sentMs, this.nowMs());
    if (!lease.alive) {
      this.#fence();
      return;
    }
    if (this.#state !== "living" && this.#state !== "retired") return;
    this.#usableUntilMs = sentMs + LEASE_USED * this.#deps.leaseMs;
    let unhurried = UNHURRIED_MAX;
    for (const accountId of lease.recalled) {
      const purse = this.#purses.get(accountId);
      purse?.recalled();
      if (purse !== undefined && unhurried-- > 0) this.#teller.wake(purse);
    }
  }

  #fence(): void {
    if (this.#state !== "living" && this.#state !== "retired") return;
    this.#end("fenced");
  }

  #end(state: "fenced" | "finished"): void {
    this.#state = state;
    this.#usableUntilMs = -Infinity;
    this.#teller.stop();
    this.#failAll(storeSilent(this.#deps.pollMs));
    this.#purses.clear();
  }

  #failAll(failure: HeadgateError): void {
    for (const purse of this.#purses.values()) purse.fail(failure);
  }
}
