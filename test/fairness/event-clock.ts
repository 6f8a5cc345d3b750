/** A virtual clock for tens of thousands of events: fires what is due, one at a time, and lets promises run in between. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/kernel/clock.ts";
import { IndexedHeap } from "../../src/limits/queue/indexed-heap.ts";

interface Event {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
  heapPlace: number;
}

export interface EventClock extends Clock {
  /** Fires everything due until then, in order. */
  runUntil(ms: number): Promise<void>;
}

export function createEventClock(): EventClock {
  const events = new IndexedHeap<Event>((one, other) => {
    return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
  });
  let nowMs = 0;
  let order = 0;
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(fire, delayMs) {
      const event = { dueMs: nowMs + Math.max(0, delayMs), order: order++, fire, heapPlace: -1 };
      events.add(event);
      return { cancel: () => events.remove(event) };
    },
    async runUntil(ms) {
      for (let next = events.first; next !== null && next.dueMs <= ms; next = events.first) {
        events.remove(next);
        nowMs = next.dueMs;
        next.fire();
        await Promise.resolve();
      }
      nowMs = ms;
      await setImmediate();
    },
  };
}
