import assert from "node:assert/strict";
import { test } from "node:test";
import { Agenda } from "./agenda.ts";
import { createProcessClock, Life } from "./life.ts";

function advance(agenda: Agenda, ms: number): void {
  const untilMs = agenda.nowMs + ms;
  while (agenda.step(untilMs));
}

test("what comes in while a process stands still happens when it goes on, in order, and never once it is dead", () => {
  const agenda = new Agenda();
  const life = new Life(agenda);
  const happened: string[] = [];
  life.pause(false);
  life.run(() => happened.push("first"));
  life.run(() => happened.push("second"));
  advance(agenda, 100);
  assert.equal(happened.length, 0);
  life.resume();
  advance(agenda, 0);
  assert.deepEqual(happened, ["first", "second"]);
  life.after(10, () => happened.push("too late"));
  life.end();
  advance(agenda, 100);
  assert.deepEqual(happened, ["first", "second"]);
});

test("a timer fires when the process's own clock says so, fast or slow", () => {
  const agenda = new Agenda();
  const clock = createProcessClock(agenda, new Life(agenda), 1_000_000, { skewMs: -300, rate: 2 });
  const fired: number[] = [];
  clock.setTimer(() => fired.push(agenda.nowMs), 100);
  clock.setTimer(() => fired.push(agenda.nowMs), 20).cancel();
  advance(agenda, 200);
  assert.deepEqual(fired, [50]);
  assert.equal(clock.monotonicMs(), 400);
  assert.equal(clock.wallMs(), 1_000_000 + 200 - 300);
});

test("a suspended machine's monotonic clock stands still, a stopped process's does not", () => {
  for (const [stopsClock, elapsedMs] of [
    [true, 40],
    [false, 100],
  ] as const) {
    const agenda = new Agenda();
    const life = new Life(agenda);
    const clock = createProcessClock(agenda, life, 0, { skewMs: 0, rate: 1 });
    const fired: number[] = [];
    clock.setTimer(() => fired.push(clock.monotonicMs()), 30);
    advance(agenda, 20);
    life.pause(stopsClock);
    advance(agenda, 60);
    life.resume();
    advance(agenda, 20);
    assert.equal(clock.monotonicMs(), elapsedMs);
    assert.deepEqual(fired, [stopsClock ? 30 : 80]);
  }
});
