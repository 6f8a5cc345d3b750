import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { Pacer, type Paced } from "./pace.ts";

class Item implements Paced {
  dueTick: number | null = null;
  readonly servedAtMs: number[] = [];
  onDue(nowMs: number): void {
    this.servedAtMs.push(nowMs);
  }
}

describe("the pacer", () => {
  test("serves every item once, never early and at most two milliseconds late", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 1, maxLength: 60 }),
        (delays) => {
          const clock = createVirtualClock();
          const pacer = new Pacer(clock);
          const items = delays.map((delayMs) => {
            const item = new Item();
            pacer.schedule(item, delayMs);
            return { item, delayMs };
          });
          clock.advance(6000);
          for (const { item, delayMs } of items) {
            assert.equal(item.servedAtMs.length, 1);
            const lateMs = (item.servedAtMs[0] ?? 0) - delayMs;
            assert.ok(lateMs >= 0 && lateMs <= 2, `${lateMs} ms late`);
          }
        },
      ),
    );
  });

  test("keeps a rhythm without drift when items schedule themselves again", () => {
    const clock = createVirtualClock();
    const pacer = new Pacer(clock);
    const served: number[] = [];
    const item: Paced = {
      dueTick: null,
      onDue(nowMs) {
        served.push(nowMs);
        if (served.length < 50) pacer.schedule(item, served.length * 20 + 20);
      },
    };
    pacer.schedule(item, 20);
    clock.advance(2000);
    assert.deepEqual(
      served,
      Array.from({ length: 50 }, (_, index) => (index + 1) * 20),
    );
  });

  test("does not serve what was cancelled, and runs no timer once nothing waits", () => {
    const clock = createVirtualClock();
    const pacer = new Pacer(clock);
    const item = new Item();
    pacer.schedule(item, 100);
    pacer.cancel(item);
    clock.advance(3000);
    assert.deepEqual(item.servedAtMs, []);
    assert.equal(clock.pendingCount, 0);
  });

  test("serves everything that fell due while the process stood still", () => {
    const clock = createVirtualClock();
    const pacer = new Pacer(clock);
    const items = [1, 500, 1500, 4000].map((delayMs) => {
      const item = new Item();
      pacer.schedule(item, delayMs);
      return item;
    });
    // One timer, fired five seconds late.
    const stalled = createVirtualClock();
    stalled.advance(5000);
    Object.assign(clock, { monotonicMs: () => stalled.monotonicMs() });
    clock.advance(1);
    assert.deepEqual(
      items.map((item) => item.servedAtMs.length),
      [1, 1, 1, 1],
    );
  });
});
