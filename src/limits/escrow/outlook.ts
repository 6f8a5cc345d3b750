/**
 * What a process knows of an account: what the bank said last, carried on by what has happened here since. It decides
 * nothing but how much to draw ahead, what to tell callers, and whom an allowance that does not refuse would have refused.
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
  /** As much of it as the answer to come will know. */
  #overdrawnBefore: Amount = 0n;

  /** `null`: nothing has been drawn yet. */
  get standing(): Standing | null {
    return this.#standing;
  }

  /** After a draw at `atMs`, monotonic. */
  learn(standing: Standing, atMs: number): void {
    this.#standing = standing;
    this.#atMs = atMs;
    this.#overdrawn -= this.#overdrawnBefore;
    this.#overdrawnBefore = 0n;
  }

  /** The bank is asked something now. */
  asking(): void {
    this.#overdrawnBefore = this.#overdrawn;
  }

  /** So much goes back to the bank, which says nothing of the account then. */
  gaveBack(amount: Amount): void {
    if (this.#standing === null || amount === 0n) return;
    this.#standing = { ...this.#standing, granted: this.#standing.granted - amount };
  }

  overdrew(amount: Amount): void {
    this.#overdrawn += amount;
  }

  /**
   * What could be held now, over all processes; `free` is what is free in this one's hand. Below zero where the limit is
   * passed. `null`: unknown.
   */
  room(free: Amount, allowance: Allowance, nowMs: number): Amount | null {
    const drawable = this.drawable(allowance, nowMs);
    if (this.#standing === null || drawable === null) return null;
    const room = drawable + free;
    // Of a rate, what is in hand has drained at the bank since it was drawn.
    return drainOf(allowance) !== null && room > this.#standing.limit ? this.#standing.limit : room;
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
}

/** So much of a rate drains in so many milliseconds. `null`: it is no rate. */
function drainOf({ meter, window, limit }: Allowance): { readonly amount: Amount; readonly perMs: number } | null {
  if (regimeOf(meter, window) !== "rate" || (window !== "minute" && window !== "hour")) return null;
  return { amount: limit, perMs: windowMs[window] };
}
