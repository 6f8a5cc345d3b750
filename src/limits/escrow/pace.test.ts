import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("what was taken in the last two seconds is wanted, and nothing when they have passed", () => {
  const pace = new Pace("budget", 500);
  pace.take(10n);
  pace.take(20n);
  assert.equal(pace.wanted, 30n);
  pace.turn();
  pace.take(5n);
  assert.equal(pace.wanted, 35n);
  for (let turn = 0; turn < 3; turn++) pace.turn();
  assert.equal(pace.wanted, 35n);
  pace.turn();
  assert.equal(pace.wanted, 5n);
  pace.turn();
  assert.deepEqual([pace.wanted, pace.recent, pace.isForgotten], [0n, 0n, true]);
});

test("a single request is no pace, but it is recent use", () => {
  const pace = new Pace("rate", 500);
  pace.take(10n);
  assert.deepEqual([pace.wanted, pace.recent, pace.wasUsed, pace.isForgotten], [0n, 10n, true, false]);
  for (let turn = 0; turn < 5; turn++) pace.turn();
  assert.equal(pace.wasUsed, false);
  pace.take(10n);
  assert.equal(pace.wanted, 0n);
});

test("of slots the most that were held at once is wanted, less those that are held, and one in eight besides", () => {
  const pace = new Pace("slots", 500);
  for (let slot = 0; slot < 16; slot++) pace.take(1n);
  assert.equal(pace.wanted, 2n);
  for (let slot = 0; slot < 10; slot++) pace.release(1n);
  assert.deepEqual([pace.wanted, pace.recent], [10n, 16n]);
  for (let turn = 0; turn < 4; turn++) pace.turn();
  assert.deepEqual([pace.wanted, pace.recent], [10n, 16n]);
  pace.turn();
  assert.deepEqual([pace.wanted, pace.recent], [1n, 6n]);
  for (let slot = 0; slot < 6; slot++) pace.release(1n);
  for (let turn = 0; turn < 5; turn++) pace.turn();
  assert.deepEqual([pace.wanted, pace.isForgotten], [0n, true]);
});

test("a slot that was held between two turns counts", () => {
  const pace = new Pace("slots", 500);
  for (let slot = 0; slot < 2; slot++) {
    pace.take(1n);
    pace.release(1n);
  }
  pace.turn();
  assert.deepEqual([pace.recent, pace.wanted], [1n, 1n]);
});

test("where there is plenty, eleven seconds more are wanted of what does not come back", () => {
  const pace = new Pace("budget", 500);
  for (let second = 0; second < 4; second++) {
    for (let turn = 0; turn < 2; turn++) {
      pace.take(60n);
      pace.release(50n);
      pace.turn();
    }
  }
  assert.deepEqual([pace.wanted, pace.wantedAhead], [240n, 240n + 220n]);
  pace.release(1_000n);
  assert.equal(pace.wantedAhead, 240n);
});

test("what comes back long after it was taken is forgotten with it", () => {
  const pace = new Pace("budget", 500);
  pace.take(10n);
  for (let turn = 0; turn < 4; turn++) pace.turn();
  pace.release(10n);
  for (let turn = 0; turn < 3; turn++) pace.turn();
  pace.release(10n);
  pace.turn();
  pace.take(10n);
  pace.take(10n);
  assert.deepEqual([pace.wanted, pace.wantedAhead], [20n, 20n + 110n]);
});

test("of slots no more is wanted ahead, for they come back", () => {
  const pace = new Pace("slots", 500);
  for (let slot = 0; slot < 16; slot++) pace.take(1n);
  assert.equal(pace.wantedAhead, pace.wanted);
});
