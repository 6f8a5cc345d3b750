/** The system's clock, and how many of the timers set by it are still to come. */
import { type Clock, createSystemClock } from "../../../src/kernel/clock.ts";

export interface CountingClock extends Clock {
  /** Timers that have neither fired nor been cancelled. */
  readonly pendingTimers: number;
}

export function createCountingClock(): CountingClock {
  const clock = createSystemClock();
  let pendingTimers = 0;
  return {
    ...clock,
    setTimer(fire, delayMs) {
      let isPending = true;
      pendingTimers++;
      const end = (): void => {
        if (isPending) pendingTimers--;
        isPending = false;
      };
      const timer = clock.setTimer(() => {
        end();
        fire();
      }, delayMs);
      return {
        cancel() {
          end();
          timer.cancel();
        },
      };
    },
    get pendingTimers() {
      return pendingTimers;
    },
  };
}
