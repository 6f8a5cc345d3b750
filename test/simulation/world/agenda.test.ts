import assert from "node:assert/strict";
import { test } from "node:test";
import { Agenda } from "./agenda.ts";
import { Random } from "./random.ts";

test("events happen in the order of their times, and in the order of their planning where these are equal", () => {
  const random = new Random(7);
  const agenda = new Agenda();
  const planned = Array.from({ length: 500 }, (_, order) => ({ order, dueMs: random.below(50) }));
  const happened: { order: number; dueMs: number }[] = [];
  for (const event of planned) {
    agenda.after(event.dueMs, () => {
      assert.equal(agenda.nowMs, event.dueMs);
      happened.push(event);
    });
  }
  while (agenda.step(100));
  assert.deepEqual(
    happened,
    planned.toSorted((one, other) => one.dueMs - other.dueMs || one.order - other.order),
  );
});

test("time stands at the end of a step in which nothing was left to happen", () => {
  const agenda = new Agenda();
  const happened: number[] = [];
  agenda.after(10, () => happened.push(agenda.nowMs));
  const cancelled = agenda.after(4, () => happened.push(agenda.nowMs));
  cancelled.cancel();
  assert.equal(agenda.step(9), false);
  assert.equal(agenda.nowMs, 9);
  assert.equal(agenda.step(20), true);
  assert.deepEqual(happened, [10]);
});
