/**
 * Who is next among the waiting calls of one priority: start-time fair queuing (Goyal, Vin, Cheng, SIGCOMM 1996) over
 * many slots, charged in tokens like the virtual token counter (Sheng et al., OSDI 2024).
 *
 * A tenant's tag is its service so far by its weight. The lowest tag is served and rises by cost / weight; progress is
 * the highest tag that was served. No speed of the server need be known, and calls behind a tenant's first cost nothing.
 * While two tenants wait, their charges by weight differ by one call of each at the most, plus the credit.
 *
 * Credit: a tenant that comes back begins at its own tag, but at the most its share of the calls that now run behind
 * progress. Without it a tenant below its share waits behind calls that are charged as served but have only begun; with
 * it, it gets the slots that it would have had, and no idle time is worth more than that.
 *
 * A charge is corrected when the call ends. A tenant that neither waits nor runs and would come back at its credit is
 * forgotten. Invariant: no clock, no capacity, nothing refused; that is the target's queue's (queued-target.ts).
 */
import { assert } from "../../kernel/assert.ts";
import { Flow } from "./flow.ts";
import { IndexedHeap } from "./indexed-heap.ts";
import type { QueuedPass } from "./pass.ts";

const SWEEP_SIZE_MIN = 64;

export class FairOrder {
  readonly #flows = new Map<string, Flow>();
  readonly #backlogged = new IndexedHeap<Flow>(isServedBefore);
  #period = 0;
  #progress = 0;
  #tagOrder = 0;
  #length = 0;
  /** Sums over the tenants that wait, and over the calls that were taken here and run. */
  #weight = 0;
  #waitingCost = 0;
  #runningCost = 0;
  #sweepSize = SWEEP_SIZE_MIN;

  /** Calls waiting. */
  get length(): number {
    return this.#length;
  }

  get waitingCost(): number {
    return this.#waitingCost;
  }

  /** Tenants that something is known of. */
  get tenants(): number {
    return this.#flows.size;
  }

  lengthOf(tenantId: string): number {
    return this.#flows.get(tenantId)?.length ?? 0;
  }

  /** Of the call that `take` would give. */
  get nextCost(): number {
    return this.#backlogged.first?.first?.cost ?? 0;
  }

  add(pass: QueuedPass): void {
    const flow = this.#flows.get(pass.tenantId) ?? this.#welcome(pass);
    if (flow.length === 0) {
      flow.weight = pass.weight;
      this.#setTag(flow, Math.max(flow.tag, this.#floor(flow.weight)));
      this.#weight += flow.weight;
      this.#backlogged.add(flow);
    } else if (flow.weight !== pass.weight) {
      this.#weight += pass.weight - flow.weight;
      flow.weight = pass.weight;
    }
    flow.append(pass);
    this.#length++;
    this.#waitingCost += pass.cost;
  }

  /** The next call; its tenant is charged. */
  take(): QueuedPass {
    const flow = this.#backlogged.first;
    const pass = flow?.first ?? null;
    assert(flow !== null && pass !== null, "queue: a call was taken of none");
    this.#progress = Math.max(this.#progress, flow.tag);
    this.#setTag(flow, flow.tag + pass.cost / flow.weight);
    flow.running++;
    this.#runningCost += pass.cost;
    this.#unlink(flow, pass);
    if (flow.length > 0) this.#backlogged.moved(flow);
    return pass;
  }

  /** It waits no longer, and was not served. */
  remove(pass: QueuedPass): void {
    const flow = pass.flow;
    assert(flow !== null, "queue: a call left an order that it was not in");
    this.#unlink(flow, pass);
    this.#forgetIfSettled(flow);
  }

  /** A call that was taken is over. */
  ended(pass: QueuedPass, used: number): void {
    const flow = pass.flow;
    if (flow === null || flow.period !== this.#period) return;
    flow.running--;
    this.#runningCost = Math.max(0, this.#runningCost - pass.cost);
    if (used !== pass.cost) {
      const lowest = Math.min(flow.tag, this.#floor(flow.weight));
      this.#setTag(flow, Math.max(lowest, flow.tag + (used - pass.cost) / flow.weight));
      if (flow.length > 0) this.#backlogged.moved(flow);
    }
    this.#forgetIfSettled(flow);
  }

  /**
   * What is served before a further call of this tenant, if nobody else comes: all that begins earlier in virtual time,
   * its own calls and everybody's at its pace, taking those who wait now to wait throughout.
   */
  costAhead(tenantId: string, weight: number): number {
    const flow = this.#flows.get(tenantId);
    const own = flow?.cost ?? 0;
    const waits = flow !== undefined && flow.length > 0;
    const tag = waits ? flow.tag : Math.max(flow?.tag ?? 0, this.#floor(weight));
    const allWeights = this.#weight + (waits ? 0 : weight);
    const begin = tag + own / weight;
    return Math.min(this.#waitingCost, Math.max(own, (begin - this.#progress) * allWeights));
  }

  /** There was room and nobody waited: nobody owes anything to anybody any more. */
  reset(): void {
    if (this.#flows.size === 0) return;
    assert(this.#length === 0, "queue: an order was reset while calls waited in it");
    this.#flows.clear();
    this.#period++;
    this.#progress = 0;
    this.#runningCost = 0;
    this.#sweepSize = SWEEP_SIZE_MIN;
  }

  #welcome(pass: QueuedPass): Flow {
    if (this.#flows.size >= this.#sweepSize) this.#sweep();
    const flow = new Flow(pass.tenantId, this.#period, pass.weight);
    this.#flows.set(pass.tenantId, flow);
    return flow;
  }

  #setTag(flow: Flow, tag: number): void {
    flow.tag = tag;
    flow.tagOrder = ++this.#tagOrder;
  }

  /** Where a tenant of this weight that was idle begins, but not before zero, where all begin after a reset. */
  #floor(weight: number): number {
    return this.#progress - this.#runningCost / (this.#weight + weight);
  }

  #unlink(flow: Flow, pass: QueuedPass): void {
    flow.remove(pass);
    this.#length--;
    this.#waitingCost = this.#length === 0 ? 0 : this.#waitingCost - pass.cost;
    if (flow.length > 0) return;
    this.#backlogged.remove(flow);
    this.#weight = this.#length === 0 ? 0 : this.#weight - flow.weight;
  }

  #forgetIfSettled(flow: Flow): void {
    if (flow.length === 0 && flow.running === 0 && flow.tag <= this.#floor(flow.weight)) {
      this.#flows.delete(flow.tenantId);
    }
  }

  /** Tenants become settled as progress goes on, without a call of their own. Costs a constant for each new tenant. */
  #sweep(): void {
    for (const flow of this.#flows.values()) this.#forgetIfSettled(flow);
    this.#sweepSize = Math.max(SWEEP_SIZE_MIN, 2 * this.#flows.size);
  }
}

function isServedBefore(one: Flow, other: Flow): boolean {
  return one.tag < other.tag || (one.tag === other.tag && one.tagOrder < other.tagOrder);
}
