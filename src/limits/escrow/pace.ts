/**
 * How much of an account is wanted, by the last two seconds, so that requests find it in hand. What is taken for good
 * counts by how much of it was taken; slots, which come back, by the most that were held at once. A single request does
 * not make a pace: nothing is wanted after it.
 *
 * Where an account has plenty, more is wanted: enough to go on while the bank is away. What comes back is taken again, so
 * that counts what does not.
 */
import type { Regime } from "../allowance.ts";
import type { Amount } from "../../storage/escrow/bank.ts";

const MEMORY_MS = 2_000;
/** Of the slots held at once, one in so many is wanted besides. */
const SPARE_PART = 8n;
/** Beside what is always wanted, so many times what the last two seconds cost: eleven seconds. */
const AHEAD = { times: 11n, of: 2n };

export class Pace {
  readonly #isOfSlots: boolean;
  /** Of each turn that is remembered. */
  readonly #turns: Amount[];
  readonly #netTurns: Amount[];
  #at = 0;
  /** Over those turns: what was taken, or the most slots. */
  #remembered: Amount = 0n;
  /** The same since the last turn. */
  #current: Amount = 0n;
  /** Over those turns: what was taken less what came back; of slots nothing. */
  #netRemembered: Amount = 0n;
  #netCurrent: Amount = 0n;
  /** Slots. */
  #held: Amount = 0n;
  #wasUsed = false;
  /** Since everything was forgotten. */
  #useCount = 0;

  constructor(regime: Regime, turnMs: number) {
    this.#isOfSlots = regime === "slots";
    const turnCount = Math.max(1, Math.round(MEMORY_MS / turnMs));
    this.#turns = Array.from({ length: turnCount }, () => 0n);
    this.#netTurns = Array.from({ length: turnCount }, () => 0n);
  }

  /** Nothing was used lately. */
  get isForgotten(): boolean {
    return this.#remembered === 0n && this.#current === 0n;
  }

  /** Since the last turn. */
  get wasUsed(): boolean {
    return this.#wasUsed;
  }

  take(amount: Amount): void {
    this.#wasUsed = true;
    this.#useCount++;
    if (!this.#isOfSlots) {
      this.#current += amount;
      this.#netCurrent += amount;
      return;
    }
    this.#held += amount;
    if (this.#held > this.#current) this.#current = this.#held;
  }

  /** So much can be taken again. */
  release(amount: Amount): void {
    if (this.#isOfSlots) this.#held -= amount;
    else this.#netCurrent -= amount;
  }

  /** To be called every `turnMs`. */
  turn(): void {
    this.#wasUsed = false;
    if (this.isForgotten) {
      this.#netCurrent = 0n;
      return;
    }
    this.#turns[this.#at] = this.#current;
    this.#netTurns[this.#at] = this.#netCurrent;
    this.#at = (this.#at + 1) % this.#turns.length;
    this.#current = this.#held;
    this.#netCurrent = 0n;
    this.#remembered = this.#isOfSlots ? greatestOf(this.#turns) : sumOf(this.#turns);
    this.#netRemembered = sumOf(this.#netTurns);
    if (this.isForgotten) this.#forget();
  }

  /** In the last two seconds. */
  get recent(): Amount {
    if (!this.#isOfSlots) return this.#remembered + this.#current;
    return this.#remembered > this.#current ? this.#remembered : this.#current;
  }

  /** What should be free. Grows with every request until the next turn, so that a beginning is not slow. */
  get wanted(): Amount {
    if (this.#useCount < 2) return 0n;
    if (!this.#isOfSlots) return this.recent;
    const unused = this.recent - this.#held;
    const spare = (this.recent + SPARE_PART - 1n) / SPARE_PART;
    return unused > spare ? unused : spare;
  }

  /** What should be free where there is plenty. At least what is wanted anyway. */
  get wantedAhead(): Amount {
    const net = this.#netRemembered + this.#netCurrent;
    if (this.#useCount < 2 || net <= 0n) return this.wanted;
    return this.wanted + (net * AHEAD.times) / AHEAD.of;
  }

  /** What came back late says nothing of what the next requests cost. */
  #forget(): void {
    this.#useCount = 0;
    this.#netTurns.fill(0n);
    this.#netRemembered = 0n;
  }
}

function sumOf(amounts: readonly Amount[]): Amount {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}

function greatestOf(amounts: readonly Amount[]): Amount {
  let greatest = 0n;
  for (const amount of amounts) if (amount > greatest) greatest = amount;
  return greatest;
}
