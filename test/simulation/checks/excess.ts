/**
 * What calls used beyond what they held, while the request goes on: they hold it from then on, but it is in nobody's hand.
 * Until more is drawn, whoever settles first under the same grant takes it on as an overdraft, so that what it held covers
 * the call that used more.
 */
import type { HeldAmount } from "../../../src/storage/escrow/bank.ts";

type GrantOf = Pick<HeldAmount, "ownerId" | "accountId">;

export class Excess {
  /** By grant, then by call. */
  readonly #calls = new Map<string, Map<string, bigint>>();

  /** The call has ended with `inHand`, and holds `now`. */
  ended(requestId: string, inHand: readonly HeldAmount[], now: readonly HeldAmount[]): void {
    for (const [at, had] of inHand.entries()) {
      const amount = (now[at]?.amount ?? 0n) - had.amount;
      if (amount > 0n) this.#callsOf(had).set(requestId, amount);
    }
  }

  /** What a settlement of the call may take on for others. */
  ofOthers(requestId: string, grant: GrantOf): bigint {
    let sum = 0n;
    for (const [id, amount] of this.#callsOf(grant)) if (id !== requestId) sum += amount;
    return sum;
  }

  /** The call is settled, and has taken on so much for others. */
  settled(requestId: string, grant: GrantOf, takenOn: bigint): void {
    const calls = this.#callsOf(grant);
    calls.delete(requestId);
    let left = takenOn;
    for (const [id, amount] of calls) {
      const part = left < amount ? left : amount;
      left -= part;
      if (part === amount) calls.delete(id);
      else calls.set(id, amount - part);
    }
  }

  /** Its process has died: others settle no more. */
  died(requestId: string): void {
    for (const calls of this.#calls.values()) calls.delete(requestId);
  }

  #callsOf({ ownerId, accountId }: GrantOf): Map<string, bigint> {
    return this.#calls.getOrInsertComputed(`${ownerId} ${accountId}`, () => new Map<string, bigint>());
  }
}
