/**
 * What a process knows of an account: what the bank said last, carried on by what has happened here since. It decides
 * nothing but how much to draw ahead, what to tell callers, and what an allowance that does not refuse would have refused.
 */
import { available } from "../../storage/escrow/account.ts";
import type { Amount, Standing } from "../../storage/escrow/bank.ts";
import { type Allowance, regimeOf } from "../allowance.ts";

const windowMs = { minute: 60_000, hour: 3_600_000 } as const;

export class Outlook {
  #standing: Standing | null = null;
  #atMs = 0;
  /** Taken here since, of what could be drawn, without drawing it. */
  #overdrawn: Amount = 0n;
  /**
   * So much of what is in hand there was no room for: a rate that does not refuse runs over, and its books do not show
   * by how much (account.ts).
   */
  #beyond: Amount = 0n;

  /** `null`: nothing has been drawn yet. */
  get standing(): Standing | null {
    return this.#standing;
  }

  /** After a draw at `atMs`, monotonic. */
  learn(standing: Standing, granted: Amount, allowance: Allowance, atMs: number): void {
    if (allowance.mode !== "enforce" && drainOf(allowance) !== null && granted > 0n) {
      this.#beyond += granted - this.#covered(standing, granted, allowance, atMs);
    }
    this.#standing = standing;
    this.#atMs = atMs;
    this.#overdrawn = 0n;
  }

  overdrew(amount: Amount): void {
    this.#overdrawn += amount;
  }

  /** What could be held now, over all processes; `free` is what is free in this one's hand. `null`: unknown. */
  room(free: Amount, allowance: Allowance, nowMs: number): Amount | null {
    const drawable = this.drawable(allowance, nowMs);
    if (this.#standing === null || drawable === null) return null;
    const room = drawable + this.#within(free);
    // Of a rate, what is in hand has drained at the bank since it was drawn.
    return drainOf(allowance) !== null && room > this.#standing.limit ? this.#standing.limit : room;
  }

  /** Of an allowance that does not refuse: a request takes `amount` of what is free. Whether there was room for it. */
  hadRoom(amount: Amount, free: Amount, allowance: Allowance, nowMs: number): boolean {
    const room = this.room(free, allowance, nowMs);
    if (room === null) return true;
    const within = this.#within(free);
    if (this.#beyond > free) this.#beyond = free;
    if (room < amount) {
      this.#beyond = this.#beyond > amount ? this.#beyond - amount : 0n;
      return false;
    }
    // It takes the place of what could have been drawn for it.
    const beyond = amount > within ? amount - within : 0n;
    this.#beyond -= beyond;
    this.#overdrawn += beyond;
    return true;
  }

  /** What could be drawn now. Below zero where the limit is passed. `null`: unknown. */
  drawable(allowance: Allowance, nowMs: number): Amount | null {
    if (this.#standing === null) return null;
    const then = available(this.#standing) - this.#overdrawn;
    const drain = drainOf(allowance);
    if (drain === null) return then;
    const elapsedMs = Math.max(0, Math.floor(nowMs - this.#atMs));
    const now = then + (drain.amount * BigInt(elapsedMs)) / BigInt(drain.perMs);
    return now < this.#standing.limit ? now : this.#standing.limit;
  }

  /** Of a rate that refuses `amount`: until there will be room, `free` in this one's hand included. `null`: unknown, or no rate. */
  roomInMs(amount: Amount, free: Amount, allowance: Allowance, nowMs: number): number | null {
    const drain = drainOf(allowance);
    const drawable = this.drawable(allowance, nowMs);
    if (drain === null || drain.amount === 0n || drawable === null) return null;
    const missing = amount - free - drawable;
    return missing <= 0n ? null : Number((missing * BigInt(drain.perMs) + drain.amount - 1n) / drain.amount);
  }

  /** Of a rate: until nothing of it is used any more. */
  fullInMs(room: Amount, allowance: Allowance): number {
    const drain = drainOf(allowance);
    if (this.#standing === null || drain === null || drain.amount === 0n) return 0;
    const used = this.#standing.limit - room;
    return used <= 0n ? 0 : Number((used * BigInt(drain.perMs) + drain.amount - 1n) / drain.amount);
  }

  /** What of `free` there was room for when it was drawn. */
  #within(free: Amount): Amount {
    return free > this.#beyond ? free - this.#beyond : 0n;
  }

  /** How much of what was granted there was room for. */
  #covered(after: Standing, granted: Amount, allowance: Allowance, atMs: number): Amount {
    const left = available(after);
    if (left > 0n) return granted;
    if (left < 0n) return 0n;
    const before = this.drawable(allowance, atMs) ?? after.limit;
    if (before <= 0n) return 0n;
    return before < granted ? before : granted;
  }
}

/** So much of a rate drains in so many milliseconds. `null`: it is no rate. */
function drainOf({ meter, window, limit }: Allowance): { readonly amount: Amount; readonly perMs: number } | null {
  if (regimeOf(meter, window) !== "rate" || (window !== "minute" && window !== "hour")) return null;
  return { amount: limit, perMs: windowMs[window] };
}
