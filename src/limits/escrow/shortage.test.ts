import assert from "node:assert/strict";
import { test } from "node:test";
import { Shortage } from "./shortage.ts";

test("what was refused counts for a moment, and for as much or more only", () => {
  const shortage = new Shortage(1_000);
  assert.equal(shortage.covers(1n, 0), false);
  shortage.refused(50n, null, 100);
  assert.deepEqual(
    [49n, 50n, 51n].map((need) => shortage.covers(need, 349)),
    [false, true, true],
  );
  assert.equal(shortage.covers(50n, 350), false);
  assert.equal(shortage.roomInMs(100), null);
});

test("of a rate it counts until there is room, though not for long", () => {
  const shortage = new Shortage(1_000);
  shortage.refused(5n, 30, 100);
  assert.deepEqual([shortage.covers(5n, 129), shortage.covers(5n, 130)], [true, false]);
  assert.equal(shortage.roomInMs(110), 20);
  assert.equal(shortage.roomInMs(500), 1);
  shortage.refused(5n, 60_000, 1_000);
  assert.deepEqual([shortage.covers(5n, 1_999), shortage.covers(5n, 2_000)], [true, false]);
  assert.equal(shortage.roomInMs(1_999), 59_001);
});

test("it is forgotten when told", () => {
  const shortage = new Shortage(1_000);
  shortage.refused(5n, null, 100);
  shortage.forget();
  assert.equal(shortage.covers(5n, 100), false);
});

test("a recall is due once, and again some time after nobody waits for it", () => {
  const shortage = new Shortage(1_000);
  assert.equal(shortage.isRecallDue(0), true);
  shortage.recalled(0);
  assert.equal(shortage.waitUntilMs, 1_000);
  assert.deepEqual(
    [1, 1_000, 1_249, 1_250].map((nowMs) => shortage.isRecallDue(nowMs)),
    [false, false, false, true],
  );
  shortage.recallFailed();
  assert.equal(shortage.isRecallDue(1), true);
});

test("where nobody waits for recalls there are none", () => {
  assert.equal(new Shortage(0).mayWait, false);
  assert.equal(new Shortage(1).mayWait, true);
});
