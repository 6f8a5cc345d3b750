/**
 * What is in hand of one account. Pure numbers.
 *
 *   bank ──receive──▶ free ──take──▶ held ──settle──▶ spent
 *     ▲                │ ▲             │
 *     ├───giveBack─────┘ └───release───┤
 *     └───giveBack──── stale ◀─────────┘
 *
 * Invariants: all = free + held + stale, none of them below zero. A settlement takes from what it held, then from what
 * is free, and only what it used beyond both is overdraft. What it did not use stays held until it is released.
 */
import { assert } from "../../kernel/assert.ts";
import type { Amount } from "../../storage/escrow/bank.ts";

export class Hand {
  #free: Amount = 0n;
  #stale: Amount = 0n;
  #all: Amount = 0n;

  get free(): Amount {
    return this.#free;
  }

  /** Not to be used again but to be given back. */
  get stale(): Amount {
    return this.#stale;
  }

  get all(): Amount {
    return this.#all;
  }

  get held(): Amount {
    return this.#all - this.#free - this.#stale;
  }

  receive(granted: Amount): void {
    this.#free += granted;
    this.#all += granted;
  }

  /** Must be free. */
  take(amount: Amount): void {
    this.#free -= amount;
  }

  /** Ends a holding as far as it was used. Returns how much of `used` is covered. */
  settle(held: Amount, used: Amount): Amount {
    if (used <= held) {
      this.#all -= used;
      return used;
    }
    const within = held + this.#free;
    const covered = used < within ? used : within;
    this.#free = within - covered;
    this.#all -= covered;
    return covered;
  }

  /** So much of what was held is not needed any more: it is free again, or stale. */
  release(amount: Amount, isStale: boolean): void {
    if (isStale) this.#stale += amount;
    else this.#free += amount;
  }

  /** So much of what is free, and all that is stale. Returns both together. */
  giveBack(free: Amount): Amount {
    assert(free <= this.#free, "what is given back is free");
    const amount = free + this.#stale;
    this.#free -= free;
    this.#stale = 0n;
    this.#all -= amount;
    return amount;
  }
}
