/**
 * The requests that wait at one purse, in the order in which they came to the gateway, and in two kinds:
 *
 *   eager ──the bank refused, but others may give back──▶ recalling
 *
 * Nobody passes an eager one that came before. A recalling one is passed by whoever is content with what is in hand: it
 * may wait for long, in vain, and for more than others need.
 */
import type { Claim } from "./claim.ts";
import type { Amount } from "../../storage/escrow/bank.ts";

export class WaitingLine {
  readonly #eager: Claim[] = [];
  readonly #recalling: Claim[] = [];

  get isEmpty(): boolean {
    return this.#eager.length === 0 && this.#recalling.length === 0;
  }

  get firstEager(): Claim | undefined {
    return this.#eager[0];
  }

  get firstRecalling(): Claim | undefined {
    return this.#recalling[0];
  }

  /** Who came later than this has to wait. */
  get barrier(): number {
    return this.#eager[0]?.order ?? Infinity;
  }

  get recallingCount(): number {
    return this.#recalling.length;
  }

  /** A copy, in their order. */
  get recalling(): readonly Claim[] {
    return [...this.#recalling];
  }

  /** A copy. */
  get claims(): readonly Claim[] {
    return [...this.#recalling, ...this.#eager];
  }

  get eagerAmount(): Amount {
    return sumOf(this.#eager);
  }

  get recallingAmount(): Amount {
    return sumOf(this.#recalling);
  }

  add(claim: Claim): void {
    const line = claim.isRecalling ? this.#recalling : this.#eager;
    let at = line.length;
    while (at > 0 && (line[at - 1]?.order ?? 0) > claim.order) at--;
    if (at === line.length) line.push(claim);
    else line.splice(at, 0, claim);
  }

  delete(claim: Claim): void {
    const line = claim.isRecalling ? this.#recalling : this.#eager;
    const at = line[0] === claim ? 0 : line.indexOf(claim);
    if (at === 0) line.shift();
    else if (at > 0) line.splice(at, 1);
  }
}

function sumOf(claims: readonly Claim[]): Amount {
  let sum = 0n;
  for (const claim of claims) sum += claim.amount;
  return sum;
}
