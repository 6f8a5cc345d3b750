/**
 * Time as a dependency. Everything that waits or stamps asks a `Clock`; only this file touches the
 * process's own timers, so a whole gateway can run on a virtual clock.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch, for records and prices. May jump. */
  wallMs(): number;
  /** Milliseconds from an arbitrary origin, never going back, sub-millisecond resolution: for durations. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs` unless cancelled. A pending timer does not keep the process alive. */
  setTimer(fire: () => void, delayMs: number): Timer;
}

export interface Timer {
  /** Idempotent; after it returns `fire` is never called. */
  cancel(): void;
}

export function createSystemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer(fire, delayMs) {
      const handle = setTimeout(fire, delayMs);
      handle.unref();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}
