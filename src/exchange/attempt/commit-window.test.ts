import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultModel } from "../../config/defaults.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { CommitWindow } from "./commit-window.ts";

const { commit } = defaultModel({ commit: { at: "window", windowTokens: 10, windowMs: 500 } });

function open(): { clock: ReturnType<typeof createVirtualClock>; window: CommitWindow; overAtMs: number[] } {
  const clock = createVirtualClock();
  const overAtMs: number[] = [];
  return { clock, window: new CommitWindow(clock, commit, () => overAtMs.push(clock.monotonicMs())), overAtMs };
}

test("a window ends with its last token, and leaves no timer", () => {
  const { clock, window, overAtMs } = open();
  window.reached(1);
  clock.advance(100);
  window.reached(9);
  assert.deepEqual(overAtMs, []);
  window.reached(10);
  window.reached(11);
  clock.advance(1_000);
  assert.deepEqual(overAtMs, [100]);
  assert.equal(clock.pendingCount, 0);
});

test("a window ends so long after the first output, however long that took", () => {
  const { clock, window, overAtMs } = open();
  clock.advance(5_000);
  window.reached(1);
  clock.advance(300);
  window.reached(2);
  clock.advance(1_000);
  assert.deepEqual(overAtMs, [5_500]);
});

test("a window that is stopped does not end", () => {
  const { clock, window, overAtMs } = open();
  window.reached(1);
  window.stop();
  window.reached(10);
  clock.advance(1_000);
  assert.deepEqual(overAtMs, []);
  assert.equal(clock.pendingCount, 0);
});
