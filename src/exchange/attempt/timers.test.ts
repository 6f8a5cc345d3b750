import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import { AttemptTimers, type TimerName } from "./timers.ts";

const timeouts = { connectMs: 1_000, firstTokenMs: 5_000, idleMs: 2_000, totalMs: 60_000, endingMs: 500, switchMs: 0 };

function start(
  over: Partial<typeof timeouts> = {},
  totalDueMs = 60_000,
  firstOutputDueMs = Infinity,
  slowAfterMs = Infinity,
): { clock: VirtualClock; timers: AttemptTimers; fired: TimerName[] } {
  const clock = createVirtualClock();
  const fired: TimerName[] = [];
  const bounds = { totalDueMs, firstOutputDueMs, slowAfterMs };
  const timers = new AttemptTimers(clock, { ...timeouts, ...over }, bounds, (name) => fired.push(name));
  timers.start();
  return { clock, timers, fired };
}

test("a connection that does not come about ends at the connect timer", () => {
  const { clock, fired } = start();
  clock.advance(998);
  assert.deepEqual(fired, []);
  clock.advance(2);
  assert.deepEqual(fired, ["connect"]);
});

test("the caller's wait for a beginning includes the dial", () => {
  const { clock, fired } = start({}, 60_000, 400);
  clock.advance(398);
  assert.deepEqual(fired, []);
  clock.advance(2);
  assert.deepEqual(fired, ["beginning"]);
});

test("a stream that is read on for its usage alone is never slow", () => {
  const slow = start({}, 60_000, Infinity, 300);
  slow.timers.sent(true);
  slow.clock.advance(300);
  assert.deepEqual(slow.fired, ["slow"]);
  const drained = start({}, 60_000, Infinity, 300);
  drained.timers.sent(true);
  drained.timers.drain(1_000);
  drained.clock.advance(1_000);
  assert.deepEqual(drained.fired, ["drain"]);
});

test("protocol events without output do not move the first-token timer", () => {
  const { clock, timers, fired } = start();
  timers.sent(true);
  for (let step = 0; step < 4; step++) {
    clock.advance(1_200);
    timers.progress(false);
  }
  assert.deepEqual(fired, []);
  clock.advance(201);
  assert.deepEqual(fired, ["first-token"]);
});

test("the idle timer counts from the last event that carried something, however many came", () => {
  const { clock, timers, fired } = start();
  timers.sent(true);
  timers.progress(true);
  for (let step = 0; step < 20; step++) {
    clock.advance(1_900);
    timers.progress(true);
    timers.progress(false);
  }
  assert.deepEqual(fired, []);
  clock.advance(2_000);
  assert.deepEqual(fired, ["idle"]);
});

test("the total timer ends a stream that never pauses", () => {
  const { clock, timers, fired } = start({}, 10_000);
  timers.sent(true);
  for (let step = 0; step < 10; step++) {
    timers.progress(true);
    clock.advance(1_000);
  }
  assert.deepEqual(fired, ["total"]);
});

test("what only keeps the connection open does not move the idle timer, but a caller who reads again begins it anew", () => {
  const { clock, timers, fired } = start();
  timers.sent(true);
  timers.progress(true);
  clock.advance(1_900);
  timers.progress(false);
  clock.advance(100);
  assert.deepEqual(fired, ["idle"]);
  const working = start();
  working.timers.progress(true);
  for (let ping = 0; ping < 5; ping++) {
    working.clock.advance(1_900);
    working.timers.progress(false, true);
  }
  assert.deepEqual(working.fired, []);
  const paused = start();
  paused.timers.progress(true);
  paused.timers.waitForReader();
  paused.clock.advance(1_900);
  paused.timers.progress(false);
  paused.clock.advance(1_900);
  assert.deepEqual(paused.fired, []);
});

test("after the finish reason only the short ending timer runs, and late usage does not stretch it", () => {
  const { clock, timers, fired } = start();
  timers.sent(true);
  timers.progress(true);
  timers.ending();
  clock.advance(300);
  timers.progress(false);
  clock.advance(200);
  assert.deepEqual(fired, ["ending"]);
});

test("an ending of no time is over as soon as what is there already has been read", () => {
  const { clock, timers, fired } = start({ endingMs: 0 });
  timers.sent(true);
  timers.progress(true);
  timers.ending();
  assert.deepEqual(fired, []);
  clock.advance(0);
  assert.deepEqual(fired, ["ending"]);
});

test("the reason of a refusal has as long as an ending, or where that has no time, as a silence", () => {
  const brief = start();
  brief.timers.sent(true);
  brief.timers.refused();
  brief.clock.advance(500);
  assert.deepEqual(brief.fired, ["ending"]);
  const { clock, timers, fired } = start({ endingMs: 0 });
  timers.sent(true);
  timers.refused();
  clock.advance(1_998);
  assert.deepEqual(fired, []);
  clock.advance(2);
  assert.deepEqual(fired, ["ending"]);
});

test("a paused provider's silence is the reader's", () => {
  const { clock, timers, fired } = start();
  timers.sent(true);
  timers.progress(true);
  timers.waitForReader();
  clock.advance(2_000);
  assert.deepEqual(fired, ["reader"]);
});

test("zero switches a timer off, and stopping leaves no timer behind", () => {
  const { clock, timers, fired } = start({ connectMs: 0, firstTokenMs: 0 }, Infinity);
  timers.sent(true);
  clock.advance(1e9);
  assert.deepEqual(fired, []);
  timers.progress(true);
  timers.stop();
  assert.equal(clock.pendingCount, 0);
});

test("an answer that comes as a whole has no first token to wait for", () => {
  const { clock, timers, fired } = start();
  timers.sent(false);
  clock.advance(59_000);
  assert.deepEqual(fired, []);
  clock.advance(1_000);
  assert.deepEqual(fired, ["total"]);
});

test("an answer that comes as a whole may be silent for so long once it is being sent, and is slow until it is whole", () => {
  const { clock, timers, fired } = start({}, 60_000, Infinity, 1_500);
  timers.sent(false);
  clock.advance(1_400);
  timers.body(false);
  clock.advance(1_900);
  timers.body(false);
  assert.deepEqual(fired, ["slow", "slow"]);
  clock.advance(1_990);
  assert.deepEqual(fired, ["slow", "slow"]);
  clock.advance(10);
  assert.deepEqual(fired, ["slow", "slow", "body"]);
});

test("where a whole answer may be at its end, that is looked at after as long as an ending", () => {
  const { clock, timers, fired } = start();
  timers.sent(false);
  timers.body(true);
  clock.advance(400);
  timers.body(false);
  clock.advance(1_900);
  assert.deepEqual(fired, []);
  timers.body(true);
  clock.advance(500);
  assert.deepEqual(fired, ["closing"]);
  timers.body(false);
  clock.advance(2_000);
  assert.deepEqual(fired, ["closing", "body"]);
  const untimed = start({ endingMs: 0 });
  untimed.timers.sent(false);
  untimed.timers.body(true);
  untimed.clock.advance(2_000);
  assert.deepEqual(untimed.fired, ["body"]);
});

test("what comes in the stead of a stream does not keep a caller waiting who waits for its beginning", () => {
  const { clock, timers, fired } = start({}, 60_000, 2_500);
  timers.sent(true);
  clock.advance(1_000);
  timers.body(false);
  clock.advance(1_000);
  timers.body(false);
  clock.advance(500);
  assert.deepEqual(fired, ["beginning"]);
});

test("what comes of an answer that is finished, or that is read for its usage alone, does not stretch it", () => {
  const ending = start();
  ending.timers.sent(false);
  ending.timers.ending();
  ending.clock.advance(400);
  ending.timers.body(false);
  ending.clock.advance(100);
  assert.deepEqual(ending.fired, ["ending"]);
  const drained = start();
  drained.timers.sent(false);
  drained.timers.drain(1_000);
  drained.clock.advance(900);
  drained.timers.body(false);
  drained.clock.advance(100);
  assert.deepEqual(drained.fired, ["drain"]);
});

test("a caller who waits so long for a stream to begin bounds the first token, and nothing after it", () => {
  const late = start({}, 60_000, 3_000);
  late.timers.sent(true);
  late.clock.advance(3_000);
  assert.deepEqual(late.fired, ["beginning"]);
  const begun = start({}, 60_000, 3_000);
  begun.timers.sent(true);
  begun.clock.advance(2_900);
  begun.timers.progress(true);
  begun.clock.advance(1_900);
  assert.deepEqual(begun.fired, []);
});

test("a drain keeps its bound when the provider finishes meanwhile", () => {
  const { clock, timers, fired } = start({ endingMs: 30_000 });
  timers.sent(true);
  timers.progress(true);
  timers.drain(1_000);
  clock.advance(600);
  timers.ending();
  clock.advance(400);
  assert.deepEqual(fired, ["ending"]);
});

test("a phase that ran out can be entered again, and the total timer goes on meanwhile", () => {
  const clock = createVirtualClock();
  const fired: TimerName[] = [];
  const bounds = { totalDueMs: 5_000, firstOutputDueMs: Infinity, slowAfterMs: Infinity };
  const timers = new AttemptTimers(clock, timeouts, bounds, (name) => {
    fired.push(name);
    if (name === "reader") timers.waitForReader();
  });
  timers.start();
  timers.waitForReader();
  clock.advance(5_000);
  assert.deepEqual(fired, ["reader", "reader", "total"]);
  assert.equal(clock.pendingCount, 0);
});

test("what is silent for too long is told again after twice as long, until output comes", () => {
  const clock = createVirtualClock();
  const slowAtMs: number[] = [];
  const bounds = { totalDueMs: Infinity, firstOutputDueMs: Infinity, slowAfterMs: 100 };
  const timers = new AttemptTimers(clock, { ...timeouts, firstTokenMs: 0 }, bounds, () =>
    slowAtMs.push(clock.monotonicMs()),
  );
  timers.start();
  timers.sent(true);
  const sentMs = clock.monotonicMs();
  clock.advance(750);
  timers.progress(true);
  clock.advance(1_000);
  assert.deepEqual(
    slowAtMs.map((atMs) => atMs - sentMs),
    [100, 200, 400],
  );
});
