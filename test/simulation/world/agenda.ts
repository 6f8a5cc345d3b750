/**
 * What is to happen, in order of its time: the only source of time in a simulated world. Nothing happens between two
 * events, so a world is the same whenever its seed is. Events of the same time happen in the order they were planned.
 */
export interface Planned {
  /** Idempotent; afterwards it does not happen. */
  cancel(): void;
}

interface Entry extends Planned {
  readonly dueMs: number;
  readonly order: number;
  happen: (() => void) | null;
}

export class Agenda {
  #nowMs = 0;
  #planned = 0;
  /** A binary heap: an entry is due no later than those at twice its place plus one and two. */
  readonly #heap: Entry[] = [];

  /** Since the world began; fractions are microseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, happen: () => void): Planned {
    const entry: Entry = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#planned++,
      happen,
      cancel() {
        entry.happen = null;
      },
    };
    this.#rise(entry);
    return entry;
  }

  /** Lets the next event happen. `false` if there is none until then: time then stands at `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      this.#removeFirst();
      if (next.happen === null) continue;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.happen();
      return true;
    }
  }

  #rise(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const takesRight = right !== undefined && isBefore(right, left);
      const earlier = takesRight ? right : left;
      if (isBefore(last, earlier)) break;
      heap[at] = earlier;
      at = 2 * at + (takesRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}
