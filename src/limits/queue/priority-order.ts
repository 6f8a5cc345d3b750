/**
 * Who is next among all waiting calls of a target: interactive ones before batch ones, each kind in a fair order of its
 * own. So that batch calls do not starve, they earn a share: while both kinds wait, each interactive call that is served
 * earns them cost × share / (1 - share), and when that covers the next batch call it is served. Over any span in which
 * both wait throughout, batch gets its share of the service, less one call at the most. With a share of zero it waits
 * until no interactive call does. Earnings end when no batch call waits.
 */
import { FairOrder } from "./fair-order.ts";
import type { QueuedPass } from "./pass.ts";
import type { Priority } from "./priority.ts";

export class PriorityOrder {
  readonly #interactive = new FairOrder();
  readonly #batch = new FairOrder();
  #batchShare = 0;
  /** Service that batch calls may take before interactive ones. */
  #earned = 0;

  /** In [0, 1). */
  set batchShare(share: number) {
    this.#batchShare = share;
  }

  /** Calls waiting. */
  get length(): number {
    return this.#interactive.length + this.#batch.length;
  }

  /** The order of one priority. */
  of(priority: Priority): FairOrder {
    return priority === "batch" ? this.#batch : this.#interactive;
  }

  add(pass: QueuedPass): void {
    this.of(pass.priority).add(pass);
  }

  /** The next call; its tenant is charged. */
  take(): QueuedPass {
    const pass = this.#batchIsNext() ? this.#takeBatch() : this.#takeInteractive();
    if (this.#batch.length === 0) this.#earned = 0;
    return pass;
  }

  /** It waits no longer, and was not served. */
  remove(pass: QueuedPass): void {
    this.of(pass.priority).remove(pass);
    if (this.#batch.length === 0) this.#earned = 0;
  }

  /** A call that was taken is over. */
  ended(pass: QueuedPass, used: number): void {
    this.of(pass.priority).ended(pass, used);
  }

  /** What is served before a further call of this cost, if nobody else comes: its own kind's and the other kind's share. */
  costAhead(priority: Priority, tenantId: string, weight: number, cost: number): number {
    const share = this.#batchShare;
    if (priority === "interactive") {
      const ahead = this.#interactive.costAhead(tenantId, weight);
      return ahead + Math.min(this.#batch.waitingCost, (ahead * share) / (1 - share));
    }
    const ahead = this.#batch.costAhead(tenantId, weight);
    const toEarn = Math.max(0, ahead + cost - this.#earned);
    const before = share > 0 ? (toEarn * (1 - share)) / share : Infinity;
    return ahead + Math.min(this.#interactive.waitingCost, before);
  }

  reset(): void {
    this.#interactive.reset();
    this.#batch.reset();
  }

  #batchIsNext(): boolean {
    if (this.#batch.length === 0) return false;
    return this.#interactive.length === 0 || this.#earned >= this.#batch.nextCost;
  }

  #takeBatch(): QueuedPass {
    const pass = this.#batch.take();
    if (this.#interactive.length > 0) this.#earned -= pass.cost;
    return pass;
  }

  #takeInteractive(): QueuedPass {
    const pass = this.#interactive.take();
    if (this.#batch.length > 0) this.#earned += (pass.cost * this.#batchShare) / (1 - this.#batchShare);
    return pass;
  }
}
