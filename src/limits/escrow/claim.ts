/**
 * A request that could not be served at once, or an answer that grows: amounts of several purses, all or none.
 *
 *   attempt ── every purse has its amount ─────────▶ covered: whoever made the claim takes them, in the same turn
 *      ▲    └─ one has not ─▶ waits there ── it has ─▶ attempt again
 *      └──────────────────────────────┘   └─ refused, or the end of the wait ─▶ failed
 *
 * It waits at one purse at a time, for a draw or, once the bank has refused that, for a recall.
 *
 * Invariant: it holds nothing while it waits, so it keeps nothing from others and has nothing to give back. While it waits
 * for a draw, the other purses expect it: they draw what they lack at the same time, and do not count as idle what it
 * will take.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Asker } from "./judge.ts";
import type { Purse } from "./purse.ts";

/** Whose purses it waits at. */
export interface ClaimOwner {
  /** How many claims wait: it is not finished while one does. Counted by them. */
  waitingCount: number;
}

/** Those of one process. */
export interface WaitingRoom {
  /** The order of the next claim. */
  order: number;
  /** How many wait. */
  count: number;
}

export class Claim {
  readonly order: number;
  /** Monotonic. */
  readonly sinceMs: number;
  /** Of the purse at which it waits. */
  amount: Amount = 0n;
  /** Whether it waits there for a recall: the bank has refused it. */
  isRecalling = false;
  /** What the request holds already, whose answer grows or which is tried again. `null`: nothing. */
  readonly taker: Asker | null;
  #isExpected = false;
  readonly #room: WaitingRoom;
  readonly #owner: ClaimOwner;
  readonly #purses: readonly Purse[];
  readonly #amounts: readonly (Amount | null)[];
  /** By account: until when it waits for recalls there, however often it comes back. */
  #deadlinesMs: Map<string, number> | null = null;
  #waitsAt: Purse | null = null;
  #covered: (() => void) | null = null;
  #failed: ((failure: HeadgateError) => void) | null = null;

  constructor(
    room: WaitingRoom,
    owner: ClaimOwner,
    purses: readonly Purse[],
    amounts: readonly (Amount | null)[],
    taker: Asker | null,
    nowMs: number,
  ) {
    this.taker = taker;
    this.order = room.order++;
    this.sinceMs = nowMs;
    this.#room = room;
    this.#owner = owner;
    this.#purses = purses;
    this.#amounts = amounts;
  }

  get isWaiting(): boolean {
    return this.#waitsAt !== null;
  }

  /** `true`: all is there and must be taken before anything else happens. `false`: it waits. Throws the refusal. */
  attempt(): boolean {
    for (const [index, purse] of this.#purses.entries()) {
      const amount = this.#amounts[index] ?? 0n;
      if (purse.covers(amount, this.order)) continue;
      this.amount = amount;
      this.isRecalling = false;
      purse.admit(this);
      this.#waitsAt = purse;
      this.#setExpected(!this.isRecalling);
      return false;
    }
    return true;
  }

  /** `take` is called when all is there. Rejects with the refusal, or with what `take` throws. */
  wait<Result>(take: () => Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#covered = () => {
      try {
        resolve(take());
      } catch (failure) {
        reject(failure);
      }
    };
    this.#failed = reject;
    this.#room.count++;
    this.#owner.waitingCount++;
    return promise;
  }

  /** The end of its wait for recalls at an account: `deadlineMs`, unless it has waited there before. */
  deadlineAt(accountId: string, deadlineMs: number): number {
    this.#deadlinesMs ??= new Map();
    return this.#deadlinesMs.getOrInsert(accountId, deadlineMs);
  }

  /** By the purse at which it waits. `isRecalling`: the bank has refused. */
  waitFor(isRecalling: boolean): void {
    this.isRecalling = isRecalling;
    this.#setExpected(!isRecalling);
  }

  /** By the purse at which it waited: there is enough now. */
  resume(): void {
    this.#leave();
    try {
      if (!this.attempt()) return;
    } catch (refusal) {
      this.#end(() => this.#failed?.(refusal as HeadgateError));
      return;
    }
    this.#end(() => this.#covered?.());
  }

  /** By the purse at which it waited. */
  fail(failure: HeadgateError): void {
    this.#leave();
    this.#end(() => this.#failed?.(failure));
  }

  /** Waits no longer: whoever made it is told that it is covered, and takes nothing. */
  cancel(): void {
    if (this.#waitsAt === null) return;
    this.#waitsAt.dismiss(this);
    this.#leave();
    this.#end(() => this.#covered?.());
  }

  #leave(): void {
    this.#setExpected(false);
    this.#waitsAt = null;
  }

  #end(tell: () => void): void {
    this.#room.count--;
    this.#owner.waitingCount--;
    tell();
  }

  /** At the purses where it does not wait. */
  #setExpected(isExpected: boolean): void {
    if (isExpected === this.#isExpected) return;
    this.#isExpected = isExpected;
    for (const [index, purse] of this.#purses.entries()) {
      const amount = this.#amounts[index] ?? 0n;
      if (purse !== this.#waitsAt && amount > 0n) purse.expect(isExpected ? amount : -amount);
    }
  }
}
