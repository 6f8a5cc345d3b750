/**
 * A request that could not be served at once, or an answer that grows: amounts of several purses, all or none.
 *
 *   attempt ── every purse has its amount ─────────▶ covered: whoever made the claim takes them, in the same turn
 *      ▲    └─ one has not ─▶ waits there ── it has ─▶ attempt again
 *      └──────────────────────────────┘   └─ refused, or the end of the wait ─▶ failed
 *
 * Invariant: it holds nothing while it waits, so that it keeps nothing from others and has nothing to give back. It waits
 * at one purse at a time; the others are told what will be wanted of them.
 */
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Purse } from "./purse.ts";

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
  /** Monotonic: until when it waits for what others are asked to give back. `null`: the bank has not refused it there. */
  deadlineMs: number | null = null;
  readonly #room: WaitingRoom;
  readonly #purses: readonly Purse[];
  readonly #amounts: readonly Amount[];
  #waitsAt: Purse | null = null;
  #covered: (() => void) | null = null;
  #failed: ((failure: HeadgateError) => void) | null = null;

  constructor(room: WaitingRoom, purses: readonly Purse[], amounts: readonly Amount[], nowMs: number) {
    this.order = room.order++;
    this.sinceMs = nowMs;
    this.#room = room;
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
      this.deadlineMs = null;
      purse.admit(this);
      this.#waitsAt = purse;
      this.#announce(index + 1);
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
    return promise;
  }

  /** By the purse at which it waits, which has it no longer in its line: there is enough now. */
  resume(): void {
    this.#waitsAt = null;
    try {
      if (!this.attempt()) return;
    } catch (refusal) {
      this.fail(refusal as HeadgateError);
      return;
    }
    this.#room.count--;
    this.#covered?.();
  }

  /** By the purse at which it waits, which has it no longer in its line. */
  fail(failure: HeadgateError): void {
    this.#waitsAt = null;
    this.#room.count--;
    this.#failed?.(failure);
  }

  /** Waits no longer: whoever made it is told that it is covered, and takes nothing. */
  cancel(): void {
    if (this.#waitsAt === null) return;
    this.#waitsAt.dismiss(this);
    this.#waitsAt = null;
    this.#room.count--;
    this.#covered?.();
  }

  /** So that what lacks elsewhere too is drawn at the same time. */
  #announce(from: number): void {
    for (let index = from; index < this.#purses.length; index++) {
      const amount = this.#amounts[index] ?? 0n;
      const purse = this.#purses[index];
      if (purse !== undefined && !purse.covers(amount, this.order)) purse.expect(amount);
    }
  }
}
