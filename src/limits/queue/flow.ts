/**
 * One tenant in a fair order: the line of its waiting calls, first come first served, and how far it has been served.
 * The order (fair-order.ts) decides what the numbers mean; here the line keeps its count and its cost.
 */
import { assert } from "../../kernel/assert.ts";
import type { QueuedPass } from "./pass.ts";

export class Flow {
  readonly tenantId: string;
  /** The span between two resets of the order that it belongs to. */
  readonly period: number;
  weight: number;
  /** Service so far, by weight: where its next call begins in virtual time. */
  tag: number;
  /** Decides between equal tags: rises with every setting of one. */
  tagOrder = 0;
  /** Calls that have left, charged here, and are not over. */
  running = 0;
  /** Of the heap of tenants that wait. */
  heapPlace: number = -1;
  #length = 0;
  #cost = 0;
  #first: QueuedPass | null = null;
  #last: QueuedPass | null = null;

  constructor(tenantId: string, period: number, weight: number) {
    this.tenantId = tenantId;
    this.period = period;
    this.weight = weight;
    this.tag = 0;
  }

  /** Calls waiting. */
  get length(): number {
    return this.#length;
  }

  /** Of all calls waiting. */
  get cost(): number {
    return this.#cost;
  }

  get first(): QueuedPass | null {
    return this.#first;
  }

  append(pass: QueuedPass): void {
    pass.flow = this;
    pass.previous = this.#last;
    if (this.#last === null) this.#first = pass;
    else this.#last.next = pass;
    this.#last = pass;
    this.#length++;
    this.#cost += pass.cost;
  }

  remove(pass: QueuedPass): void {
    assert(pass.flow === this && this.#length > 0, "queue: a call left a line that it was not in");
    if (pass.previous === null) this.#first = pass.next;
    else pass.previous.next = pass.next;
    if (pass.next === null) this.#last = pass.previous;
    else pass.next.previous = pass.previous;
    pass.previous = null;
    pass.next = null;
    this.#length--;
    this.#cost = this.#length === 0 ? 0 : this.#cost - pass.cost;
  }
}
