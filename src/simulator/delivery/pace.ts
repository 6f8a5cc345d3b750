/**
 * The simulator's one timer. Everything that waits (the next token of a stream, a delayed answer) sits in a wheel of
 * one-millisecond slots, and a single timer serves the slots as they become due, so that hundreds of streams cost one
 * timer a millisecond and not one a token. While nothing waits no timer runs.
 *
 * An item is in the wheel at most once. `cancel` only marks it; its slot forgets it when it is next served.
 */
import { assert } from "../../kernel/assert.ts";
import type { Clock } from "../../kernel/clock.ts";

export interface Paced {
  /** Called once per `schedule`, at the first tick at or after the due time. */
  onDue(nowMs: number): void;
  /** The wheel's own mark: the millisecond it is due, -1 when cancelled, `null` when not in the wheel. */
  dueTick: number | null;
}

const SLOTS = 1024;

export class Pacer {
  readonly #clock: Clock;
  readonly #slots: Paced[][] = Array.from({ length: SLOTS }, () => []);
  readonly #tick = (): void => this.#serve();
  /** The last millisecond whose slot was served. */
  #servedTick = 0;
  #waiting = 0;
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `dueMs` on the clock's monotonic scale; a time already past is served at the next tick. */
  schedule(item: Paced, dueMs: number): void {
    assert(item.dueTick === null, "A paced item is scheduled twice");
    if (this.#waiting === 0) this.#servedTick = Math.floor(this.#clock.monotonicMs());
    const dueTick = Math.max(Math.ceil(dueMs), this.#servedTick + 1);
    item.dueTick = dueTick;
    this.#slots[dueTick % SLOTS]?.push(item);
    this.#waiting++;
    this.#arm();
  }

  cancel(item: Paced): void {
    if (item.dueTick !== null) item.dueTick = -1;
  }

  #arm(): void {
    if (this.#armed || this.#waiting === 0) return;
    this.#armed = true;
    this.#clock.setTimer(this.#tick, 1);
  }

  #serve(): void {
    this.#armed = false;
    const nowMs = this.#clock.monotonicMs();
    const nowTick = Math.floor(nowMs);
    // After a stall longer than a turn of the wheel, one turn visits every slot.
    const from = Math.max(this.#servedTick + 1, nowTick - SLOTS + 1);
    for (let tick = from; tick <= nowTick; tick++) {
      // What is scheduled meanwhile must land after this slot.
      this.#servedTick = tick;
      const slot = this.#slots[tick % SLOTS];
      if (slot && slot.length > 0) this.#serveSlot(slot, tick % SLOTS, nowTick, nowMs);
    }
    this.#servedTick = Math.max(this.#servedTick, nowTick);
    this.#arm();
  }

  #serveSlot(slot: Paced[], index: number, nowTick: number, nowMs: number): void {
    this.#slots[index] = [];
    for (const item of slot) {
      if (item.dueTick !== null && item.dueTick > nowTick) {
        this.#slots[index]?.push(item);
        continue;
      }
      this.#waiting--;
      const cancelled = item.dueTick === -1;
      item.dueTick = null;
      if (!cancelled) item.onDue(nowMs);
    }
  }
}
