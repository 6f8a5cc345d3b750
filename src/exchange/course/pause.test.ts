import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Pause } from "./pause.ts";

test("a pause whose timer fires too early goes on for the rest", async () => {
  const clock = createVirtualClock();
  const hasty: Clock = { ...clock, setTimer: (fire, delayMs) => clock.setTimer(fire, Math.max(1, delayMs / 2)) };
  const pause = new Pause(hasty, 9.5);
  clock.advance(9);
  assert.equal(clock.pendingCount, 1);
  clock.advance(2);
  assert.equal(clock.pendingCount, 0);
  await pause.over;
});

test("a pause that is cancelled is over at once", async () => {
  const clock = createVirtualClock();
  const pause = new Pause(clock, 10_000);
  pause.cancel();
  assert.equal(clock.pendingCount, 0);
  await pause.over;
});
