/** A clock that moves only when told to: timers fire in order of their due time, microtasks in between. */
import type { Clock } from "../../src/kernel/clock.ts";

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

export interface VirtualClock extends Clock {
  /** Moves time on, firing what falls due on the way. */
  advance(ms: number): void;
  /** Timers that have neither fired nor been cancelled. */
  readonly pendingCount: number;
}

export function createVirtualClock(startWallMs = 1_800_000_000_000): VirtualClock {
  let nowMs = 0;
  let order = 0;
  const pending = new Set<Pending>();
  function nextDue(untilMs: number): Pending | null {
    let next: Pending | null = null;
    for (const each of pending) {
      if (each.dueMs > untilMs) continue;
      if (next === null || each.dueMs < next.dueMs || (each.dueMs === next.dueMs && each.order < next.order))
        next = each;
    }
    return next;
  }
  return {
    wallMs: () => startWallMs + nowMs,
    monotonicMs: () => nowMs,
    setTimer(fire, delayMs) {
      const entry = { dueMs: nowMs + Math.max(0, delayMs), order: order++, fire };
      pending.add(entry);
      return { cancel: () => void pending.delete(entry) };
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let next = nextDue(untilMs); next !== null; next = nextDue(untilMs)) {
        nowMs = next.dueMs;
        pending.delete(next);
        next.fire();
      }
      nowMs = untilMs;
    },
    get pendingCount() {
      return pending.size;
    },
  };
}
