import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import { Heartbeat } from "./heartbeat.ts";

function open(): {
  clock: ReturnType<typeof createVirtualClock>;
  line: { bytesOut: number; beat(): void };
  heartbeat: Heartbeat;
  beatsAtMs: number[];
} {
  const clock = createVirtualClock();
  const beatsAtMs: number[] = [];
  const line = {
    bytesOut: 0,
    beat() {
      beatsAtMs.push(clock.monotonicMs());
      line.bytesOut += 3;
    },
  };
  return { clock, line, heartbeat: new Heartbeat(clock, 10_000, line), beatsAtMs };
}

test("a silent line gets a beat within the time, again and again", () => {
  const { clock, beatsAtMs } = open();
  clock.advance(60_000);
  const gaps = beatsAtMs.map((atMs, index) => atMs - (beatsAtMs[index - 1] ?? 0));
  assert.ok(beatsAtMs.length >= 6);
  assert.ok(
    gaps.every((gap) => gap <= 10_000 && gap >= 5_000),
    gaps.join(" "),
  );
});

test("a line in flow gets none", () => {
  const { clock, line, beatsAtMs } = open();
  for (let step = 0; step < 20; step++) {
    clock.advance(4_900);
    line.bytesOut += 100;
  }
  assert.deepEqual(beatsAtMs, []);
});

test("a line that falls silent gets its beat at the latest when the time is over", () => {
  const { clock, line, beatsAtMs } = open();
  clock.advance(5_001);
  beatsAtMs.length = 0;
  line.bytesOut += 100;
  clock.advance(10_000);
  assert.equal(beatsAtMs.length, 1);
});

test("after it is stopped there is neither a beat nor a timer", () => {
  const { clock, heartbeat, beatsAtMs } = open();
  heartbeat.stop();
  clock.advance(60_000);
  assert.deepEqual(beatsAtMs, []);
  assert.equal(clock.pendingCount, 0);
});
