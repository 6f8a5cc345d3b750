/**
 * A machine's journal, which outlives its processes: holds of open requests, and closings on their way to the ledger.
 * Invariant: a request whose hold is committed is held or in the outbox or delivered, and in one of them only.
 */
import type { HeldAmount } from "../../../src/storage/escrow/bank.ts";
import type { Closing } from "./ledger.ts";

interface JournalHold {
  readonly requestId: string;
  readonly heldAmounts: readonly HeldAmount[];
}

export class Journal {
  /** By instance and request; an instance is here until it is forgotten, also without holds. */
  readonly #holds = new Map<string, Map<string, JournalHold>>();
  readonly #living = new Set<string>();
  readonly #outbox = new Map<string, Closing>();

  get outbox(): ReadonlyMap<string, Closing> {
    return this.#outbox;
  }

  /** Those whose process is gone and whose owners may not be finished yet. */
  get deadInstances(): readonly string[] {
    return [...this.#holds.keys()].filter((instanceId) => !this.#living.has(instanceId));
  }

  /** A process announces itself. */
  announce(instanceId: string): void {
    this.#living.add(instanceId);
    this.#holds.set(instanceId, new Map());
  }

  died(instanceId: string): void {
    this.#living.delete(instanceId);
  }

  hold(instanceId: string, requestId: string, heldAmounts: readonly HeldAmount[]): void {
    this.#holdsOf(instanceId).set(requestId, { requestId, heldAmounts });
  }

  /** Of a request that is no longer held it changes nothing. */
  extend(instanceId: string, requestId: string, heldAmounts: readonly HeldAmount[]): void {
    const holds = this.#holdsOf(instanceId);
    if (holds.has(requestId)) holds.set(requestId, { requestId, heldAmounts });
  }

  close(closing: Closing): void {
    this.#holdsOf(closing.instanceId).delete(closing.requestId);
    this.#outbox.set(closing.requestId, closing);
  }

  delivered(closings: readonly Closing[]): void {
    for (const { requestId } of closings) this.#outbox.delete(requestId);
  }

  /** `null`: it knows of no such hold. */
  heldBy(instanceId: string, requestId: string): readonly HeldAmount[] | null {
    return this.#holds.get(instanceId)?.get(requestId)?.heldAmounts ?? null;
  }

  /** Charges what a dead process left held: its closings join the outbox. None if somebody else was faster. */
  recover(instanceId: string): readonly Closing[] {
    const closings = [...(this.#holds.get(instanceId)?.values() ?? [])].map(({ requestId, heldAmounts }) => ({
      requestId,
      instanceId,
      recovered: true,
      moves: heldAmounts.map(({ ownerId, accountId, amount }) => ({
        ownerId,
        accountId,
        fromGrant: amount,
        overdraft: 0n,
      })),
    }));
    for (const closing of closings) this.close(closing);
    return closings;
  }

  hasUndelivered(instanceId: string): boolean {
    return this.#outbox.values().some((closing) => closing.instanceId === instanceId);
  }

  /** Its owners are finished. */
  forget(instanceId: string): void {
    this.#holds.delete(instanceId);
  }

  #holdsOf(instanceId: string): Map<string, JournalHold> {
    const holds = this.#holds.get(instanceId);
    if (holds === undefined) throw new RangeError(`Instance ${instanceId} is not announced.`);
    return holds;
  }
}
