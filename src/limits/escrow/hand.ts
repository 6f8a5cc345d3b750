/**
 * What is in hand of one account. Pure numbers.
 *
 *   bank ──receive──▶ free ──take──▶ held ──settle──▶ spent
 *     ▲                │ ▲             │
 *     ├───giveBack─────┘ └───release───┤
 *     └───giveBack──── stale ◀─────────┘
 *
 * An allowance that does not refuse is taken from beyond what is free, and so is any by what was used already: then
 * `free` is below zero, until as much is received, released or overdrawn.
 *
 * Invariants: all = free + held + stale; all and stale are not below zero, and stale is within all. A settlement takes from
 * what it held as far as that is here, then from what is free, and only what it used beyond both is overdraft. What it did
 * not use stays held until it is released.
 */
import { assert } from "../../kernel/assert.ts";
import type { Amount } from "../../storage/escrow/bank.ts";

export class Hand {
  #free: Amount = 0n;
  #stale: Amount = 0n;
  #all: Amount = 0n;
  /** All that was received, less what was given back. */
  #received: Amount = 0n;
  #overdrawn: Amount = 0n;

  /** Below zero: so much is held that is not here. */
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

  /** All that was ever taken and not released: it is held, or was used. */
  get consumed(): Amount {
    return this.#received + this.#overdrawn - this.#free - this.#stale;
  }

  receive(granted: Amount): void {
    this.#free += granted;
    this.#all += granted;
    this.#received += granted;
  }

  take(amount: Amount): void {
    this.#free -= amount;
  }

  /** Ends a holding as far as it was used. Returns how much of `used` is covered. */
  settle(held: Amount, used: Amount): Amount {
    const within = held + this.#free;
    if (used <= held && used <= within) {
      this.#all -= used;
      return used;
    }
    const covered = used < within ? used : within > 0n ? within : 0n;
    this.#free += (used < held ? used : held) - covered;
    this.#all -= covered;
    this.#overdrawn += used - covered;
    return covered;
  }

  /** So much of what was held is not needed any more: it is free again, or stale as far as nothing is lacking. */
  release(amount: Amount, isStale: boolean): void {
    if (!isStale) {
      this.#free += amount;
      return;
    }
    const lacking = this.#free < 0n ? -this.#free : 0n;
    const filled = amount < lacking ? amount : lacking;
    this.#free += filled;
    this.#stale += amount - filled;
  }

  /** So much of what is free, and all that is stale. Returns both together. */
  giveBack(free: Amount): Amount {
    assert(free === 0n || free <= this.#free, "what is given back is free");
    const amount = free + this.#stale;
    this.#free -= free;
    this.#stale = 0n;
    this.#all -= amount;
    this.#received -= amount;
    return amount;
  }
}
