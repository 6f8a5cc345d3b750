/**
 * How much of an account is wanted, by recent use, so that requests find it in hand. What is taken for good counts by how
 * much of it was taken in about the last two seconds; slots, which come back, by the most that were held at once.
 */
import type { Regime } from "../allowance.ts";
import type { Amount } from "../../storage/escrow/bank.ts";

const MEMORY_MS = 2_000;

export class Pace {
  /** Since the last turn. Written on every request. */
  taken: Amount = 0n;
  readonly #regime: Regime;
  /** A turn forgets one part in so many. */
  readonly #parts: bigint;
  #recent: Amount = 0n;

  constructor(regime: Regime, turnMs: number) {
    this.#regime = regime;
    this.#parts = BigInt(Math.max(1, Math.round(MEMORY_MS / turnMs)));
  }

  /** Nothing was used lately. */
  get isForgotten(): boolean {
    return this.#recent === 0n && this.taken === 0n;
  }

  /** To be called every `turnMs`. */
  turn(held: Amount): void {
    const kept = this.#recent - (this.#recent + this.#parts - 1n) / this.#parts;
    if (this.#regime === "slots") this.#recent = kept > held ? kept : held;
    else this.#recent = kept + this.taken;
    this.taken = 0n;
  }

  /** What should be free: grows with every request until the next turn, so that a beginning is not slow. */
  wanted(held: Amount): Amount {
    if (this.#regime !== "slots") return this.#recent + this.taken;
    const peak = this.#recent > held ? this.#recent : held;
    const spare = (peak + this.#parts - 1n) / this.#parts;
    return peak - held > spare ? peak - held : spare;
  }
}
