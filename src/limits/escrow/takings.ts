/**
 * Takings of one account that are to be judged once it is known how it stood, in their order. An outage may be long, so
 * each is kept as numbers, and of a request no more than that once it is over:
 *
 *   live, with its taker ── the request is over ──▶ a number, by which it is counted once at the most
 *
 * Invariant: a taker that may still ask for more, or hold something, is known as long as one of its takings is here.
 */
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Taker } from "./judge.ts";

/** How many takings may be kept, over all judges of a process: some twenty-four bytes each. */
export interface KeptRoom {
  left: number;
}

const FIRST_CAPACITY = 4;
const INTEGER_MAX = 2n ** 63n - 1n;

export class Takings {
  readonly #accountId: string;
  /** Of each taking its amount, and what had ever been consumed before it. */
  #amounts = new BigInt64Array(2 * FIRST_CAPACITY);
  /** Of each taking the numbers of its taker and of its request. */
  #numbers = new Uint32Array(2 * FIRST_CAPACITY);
  #length = 0;
  readonly #takers = new Map<number, Taker>();
  readonly #numberOf = new Map<object, number>();
  /** Requests that are over and have been counted, or never are. */
  readonly #counted = new Set<number>();
  #nextNumber = 0;
  /** With so many takers it looks who of them is over. */
  #sweepAt = 1;

  constructor(accountId: string) {
    this.#accountId = accountId;
  }

  get length(): number {
    return this.#length;
  }

  /** `consumed`: what had ever been consumed in this process before it. */
  add(taker: Taker, amount: Amount, consumed: Amount): void {
    if (this.#takers.size >= this.#sweepAt) this.#sweep();
    const number = this.#numberOf.getOrInsertComputed(taker, () => this.#nextNumber++);
    const request = this.#numberOf.getOrInsertComputed(taker.request, () => this.#nextNumber++);
    this.#takers.set(number, taker);
    this.#push(amount, consumed, number, request);
  }

  amountAt(index: number): Amount {
    return this.#amounts[2 * index] ?? 0n;
  }

  consumedAt(index: number): Amount {
    return this.#amounts[2 * index + 1] ?? 0n;
  }

  /** `null`: its request is over. */
  takerAt(index: number): Taker | null {
    return this.#takers.get(this.#numbers[2 * index] ?? 0) ?? null;
  }

  /** Whether a request that is over counts by this taking: it has not been counted before. */
  countAt(index: number): boolean {
    const request = this.#numbers[2 * index + 1] ?? 0;
    if (this.#counted.has(request)) return false;
    this.#counted.add(request);
    return true;
  }

  /** All of another list, behind these; what is consumed counts from `shift` on. */
  append(other: Takings, shift: Amount): void {
    const offset = this.#nextNumber;
    this.#nextNumber += other.#nextNumber;
    for (const [number, taker] of other.#takers) this.#takers.set(number + offset, taker);
    for (const [key, number] of other.#numberOf) this.#numberOf.getOrInsert(key, number + offset);
    for (const request of other.#counted) this.#counted.add(request + offset);
    for (let index = 0; index < other.length; index++) {
      const [taker = 0, request = 0] = other.#numbers.subarray(2 * index, 2 * index + 2);
      this.#push(other.amountAt(index), other.consumedAt(index) + shift, taker + offset, request + offset);
    }
  }

  #push(amount: Amount, consumed: Amount, taker: number, request: number): void {
    const at = 2 * this.#length++;
    if (at === this.#numbers.length) this.#grow();
    this.#amounts[at] = amount < INTEGER_MAX ? amount : INTEGER_MAX;
    this.#amounts[at + 1] = consumed < INTEGER_MAX ? consumed : INTEGER_MAX;
    this.#numbers[at] = taker;
    this.#numbers[at + 1] = request;
  }

  #grow(): void {
    const [amounts, numbers] = [this.#amounts, this.#numbers];
    this.#amounts = new BigInt64Array(2 * amounts.length);
    this.#amounts.set(amounts);
    this.#numbers = new Uint32Array(2 * numbers.length);
    this.#numbers.set(numbers);
  }

  /** Lets go of those whose requests are over. */
  #sweep(): void {
    for (const [number, taker] of this.#takers) {
      if (!taker.isOver) continue;
      const request = this.#numberOf.get(taker.request);
      if (request !== undefined && !taker.mayCountAt(this.#accountId)) this.#counted.add(request);
      this.#takers.delete(number);
      this.#numberOf.delete(taker);
      this.#numberOf.delete(taker.request);
    }
    this.#sweepAt = Math.max(1, 2 * this.#takers.size);
  }
}
