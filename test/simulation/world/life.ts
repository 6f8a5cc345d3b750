/**
 * One life of a process: it runs, stands still, or is dead. What comes in while it stands still happens when it goes
 * on; what comes in when it is dead never happens.
 *
 *   running ⇄ paused      running, paused ──▶ dead
 */
import type { Clock, Timer } from "../../../src/kernel/clock.ts";
import type { Agenda } from "./agenda.ts";

export class Life {
  readonly #agenda: Agenda;
  readonly #backlog: (() => void)[] = [];
  #state: "running" | "paused" | "dead" = "running";
  #pausedAtMs = 0;
  #stoppedMs = 0;
  #stopsClock = false;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  get running(): boolean {
    return this.#state === "running";
  }

  get dead(): boolean {
    return this.#state === "dead";
  }

  /** For how long its monotonic clock has stood still. */
  get stoppedMs(): number {
    const now = this.#state === "paused" && this.#stopsClock ? this.#agenda.nowMs - this.#pausedAtMs : 0;
    return this.#stoppedMs + now;
  }

  run(happen: () => void): void {
    if (this.#state === "running") happen();
    else if (this.#state === "paused") this.#backlog.push(happen);
  }

  /** `happen` after a delay in the world's time, by the process. */
  after(delayMs: number, happen: () => void): void {
    this.#agenda.after(delayMs, () => this.run(happen));
  }

  /** `stopsClock`: as when a virtual machine is suspended; else as when a process is. */
  pause(stopsClock: boolean): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    this.#pausedAtMs = this.#agenda.nowMs;
    this.#stopsClock = stopsClock;
  }

  /** What has come in meanwhile happens in events of its own, in the order in which it came. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#stoppedMs = this.stoppedMs;
    this.#state = "running";
    for (const happen of this.#backlog.splice(0)) this.after(0, happen);
  }

  end(): void {
    this.#state = "dead";
    this.#backlog.length = 0;
  }
}

/** What is wrong with a process's clocks. */
export interface ClockFaults {
  /** Wall clock minus the true time. */
  skewMs: number;
  /** Of the monotonic clock, near 1. */
  readonly rate: number;
}

/** The clocks of a process: a skewed wall clock, which whoever holds `faults` may let jump, and a drifting monotonic one. */
export function createProcessClock(agenda: Agenda, life: Life, originMs: number, faults: ClockFaults): Clock {
  const bornAtMs = agenda.nowMs;
  const monotonicMs = (): number => (agenda.nowMs - bornAtMs - life.stoppedMs) * faults.rate;
  return {
    wallMs: () => originMs + agenda.nowMs + faults.skewMs,
    monotonicMs,
    setTimer(fire, delayMs) {
      const dueMs = monotonicMs() + Math.max(0, delayMs);
      let cancelled = false;
      const wait = (): void => {
        agenda.after((dueMs - monotonicMs()) / faults.rate, () => life.run(come));
      };
      const come = (): void => {
        if (cancelled) return;
        // The clock stood still for a while: it is too early.
        if (dueMs - monotonicMs() > 0.001) wait();
        else fire();
      };
      wait();
      const timer: Timer = {
        cancel() {
          cancelled = true;
        },
      };
      return timer;
    },
  };
}
