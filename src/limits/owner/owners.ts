/**
 * The lives of this process at the bank, one after the other: the current owner, under which requests reserve, and former
 * ones, of which requests are still open. It polls for all of them, registers the next one when the current is fenced or
 * full, and finishes the former.
 *
 * Invariant: an owner is finished at the bank only after the moves of all its reservations are committed and delivered,
 * and nothing is reserved under it from when that is asked.
 * One for which that does not happen in time is left to the recovery of its instance.
 */
import type { Clock, Timer } from "../../kernel/clock.ts";
import type { IdSource } from "../../kernel/ids.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import { closingDown } from "../refusal.ts";
import { Owner, type OwnerDeps } from "./owner.ts";

export interface OwnersDeps extends OwnerDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly instanceId: string;
  /** Resolves when all that was committed so far is where the bank sees it. */
  readonly delivered: () => Promise<void>;
  /** The current owner was fenced, and another has taken its place. */
  readonly fenced: (ownerId: string) => void;
}

/** Registers the first owner. While the bank cannot be asked it is one without a lease, which the poll replaces. */
export async function openOwners(deps: OwnersDeps): Promise<Owners> {
  const id = deps.ids.next("own");
  try {
    const first = await register(id, deps);
    return new Owners(first ?? unregistered(id, deps), deps);
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError) || thrown.code !== "storage_unavailable") throw thrown;
    deps.reach.triedInVain(thrown, deps.nowMs());
    return new Owners(unregistered(id, deps), deps);
  }
}

export class Owners {
  readonly #deps: OwnersDeps;
  #current: Owner;
  #former: readonly Owner[] = [];
  readonly #finishing = new Set<Owner>();
  /** Of the owner to come: the same until the bank has answered. */
  #nextId: string | null = null;
  #isReplacing = false;
  #timer: Timer | null = null;
  #closed: PromiseWithResolvers<void> | null = null;
  #closeUntilMs = Infinity;

  constructor(first: Owner, deps: OwnersDeps) {
    this.#deps = deps;
    this.#current = first;
    first.replace = this.#replaceCurrent;
    this.#schedule();
  }

  get current(): Owner {
    return this.#current;
  }

  /** Those who wait are refused, what is free goes back; waits for open reservations, at most so long, and finishes. */
  close(waitMsMax: number): Promise<void> {
    if (this.#closed !== null) return this.#closed.promise;
    this.#closed = Promise.withResolvers();
    this.#closeUntilMs = this.#deps.nowMs() + waitMsMax;
    if (!this.#current.isFinished) this.#former = [...this.#former, this.#current];
    for (const owner of this.#former) owner.retire(closingDown());
    this.#poll();
    return this.#closed.promise;
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.setTimer(() => this.#poll(), this.#deps.pollMs);
  }

  #poll(): void {
    this.#schedule();
    if (this.#closed === null) {
      this.#current.poll();
      if (this.#current.isOver || this.#current.isFull) this.#replaceCurrent();
    }
    for (const owner of this.#former) {
      owner.poll();
      if (owner.isSettled && !this.#finishing.has(owner)) void this.#finish(owner);
    }
    this.#endIfClosed();
  }

  readonly #replaceCurrent = (): void => {
    if (this.#closed === null && !this.#isReplacing) void this.#replace();
  };

  async #replace(): Promise<void> {
    const before = this.#current;
    this.#isReplacing = true;
    this.#nextId ??= this.#deps.ids.next("own");
    try {
      const next = await register(this.#nextId, this.#deps);
      this.#deps.reach.answered();
      this.#nextId = null;
      if (next !== null && this.#closed === null) {
        if (before.isFenced) this.#deps.fenced(before.id);
        before.retire(null);
        if (!before.isFinished) this.#former = [...this.#former, before];
        this.#current = next;
        if (before.isOver) before.bequeath(next);
        before.replace = () => {};
        next.replace = this.#replaceCurrent;
      }
    } catch (thrown) {
      this.#deps.reach.triedInVain(thrown, this.#deps.nowMs());
    }
    this.#isReplacing = false;
  }

  async #finish(owner: Owner): Promise<void> {
    this.#finishing.add(owner);
    owner.seal();
    try {
      await this.#deps.delivered();
      await this.#deps.bank.finish([owner.id]);
      this.#deps.reach.answered();
      owner.finish();
      this.#former = this.#former.filter((other) => other !== owner);
    } catch (thrown) {
      this.#deps.reach.failed(thrown);
    }
    this.#finishing.delete(owner);
    this.#endIfClosed();
  }

  #endIfClosed(): void {
    if (this.#closed === null) return;
    if (this.#former.length > 0 && this.#deps.nowMs() < this.#closeUntilMs) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#closed.resolve();
  }
}

/** `null`: the owner was fenced before the bank's answer came. Rejects with `storage_unavailable`. */
async function register(ownerId: string, deps: OwnersDeps): Promise<Owner | null> {
  const sentMs = deps.nowMs();
  deps.reach.tries(sentMs);
  const lease = await deps.bank.register(ownerId, deps.instanceId, deps.leaseMs);
  if (!lease.alive) return null;
  deps.bankTime.learn(lease.nowMs, sentMs, deps.nowMs());
  return new Owner(ownerId, sentMs, deps);
}

/** Nothing can be drawn or used under it, and there is nothing to finish. */
function unregistered(ownerId: string, deps: OwnersDeps): Owner {
  const owner = new Owner(ownerId, -Infinity, deps);
  owner.finish();
  return owner;
}
