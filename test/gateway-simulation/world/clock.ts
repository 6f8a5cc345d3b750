/** A process's clock in a simulated world: the agenda's time, and a count of the timers that are still to come. */
import type { Clock } from "../../../src/kernel/clock.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import { wallMsAt, type WallTime } from "./wall-time.ts";

export interface CountingClock extends Clock {
  /** Timers that have neither fired nor been cancelled. */
  readonly pendingTimers: number;
  /** The process is dead: no timer fires any more. */
  stop(): void;
}

export function createCountingClock(agenda: Agenda, wallTime: WallTime): CountingClock {
  let pendingTimers = 0;
  let isStopped = false;
  return {
    wallMs: () => wallMsAt(wallTime, agenda.nowMs),
    monotonicMs: () => agenda.nowMs,
    setTimer(fire, delayMs) {
      let pending = true;
      pendingTimers++;
      const end = (): void => {
        if (pending) pendingTimers--;
        pending = false;
      };
      const planned = agenda.after(delayMs, () => {
        if (isStopped) return;
        end();
        fire();
      });
      return {
        cancel() {
          end();
          planned.cancel();
        },
      };
    },
    stop() {
      isStopped = true;
    },
    get pendingTimers() {
      return pendingTimers;
    },
  };
}
