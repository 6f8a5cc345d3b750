import assert from "node:assert/strict";
import { test } from "node:test";
import { UsualTime } from "./usual-time.ts";

/** Rounds of 30 calls that all take so long: how many of them were long. */
function rounds(time: UsualTime, count: number, tookMs: number): number {
  let long = 0;
  for (let call = 0; call < count * 30; call++) if (time.add(tookMs, 1)) long++;
  return long;
}

test("the first round says what is usual, and twice that is long", () => {
  const time = new UsualTime();
  assert.equal(rounds(time, 1, 500), 0);
  assert.equal(rounds(time, 1, 1_000), 0);
  assert.equal(rounds(time, 1, 1_200), 1);
});

test("single slow calls do not make a round long", () => {
  const time = new UsualTime();
  rounds(time, 1, 500);
  for (let call = 0; call < 300; call++) assert.equal(time.add(call % 30 === 0 ? 5_000 : 500, 1), false);
});

test("one failure in thirty changes nothing, and half of them make a round long", () => {
  const time = new UsualTime();
  assert.equal(time.addFailure(1), false);
  rounds(time, 1, 500);
  for (let call = 0; call < 29; call++) assert.equal(time.add(500, 1), false);
  assert.equal(time.addFailure(1), false);
  let long = false;
  for (let pair = 0; pair < 15; pair++) {
    time.add(500, 1);
    long = time.addFailure(1);
  }
  assert.ok(long);
});

test("better rounds are usual soon, worse ones that are not long change nothing", () => {
  const time = new UsualTime();
  rounds(time, 1, 1_000);
  rounds(time, 20, 400);
  assert.equal(rounds(time, 1, 900), 1);
  rounds(time, 3, 700);
  assert.equal(rounds(time, 1, 950), 1);
});

test("where five long rounds did not become shorter, that is what is usual from now on", () => {
  const time = new UsualTime();
  rounds(time, 1, 500);
  assert.equal(rounds(time, 5, 2_000), 4);
  assert.equal(rounds(time, 100, 2_000), 0);
});

test("rounds that become shorter are long for as long as they are", () => {
  const time = new UsualTime();
  rounds(time, 1, 500);
  const long = [];
  for (let tookMs = 8_000; tookMs > 500; tookMs *= 0.85) long.push(rounds(time, 1, tookMs));
  assert.deepEqual(long, [...Array.from({ length: 13 }, () => 1), ...Array.from({ length: 5 }, () => 0)]);
});

test("rounds are as large as they are asked to be, and begin anew when calls of before shall not count", () => {
  const time = new UsualTime();
  rounds(time, 1, 500);
  for (let call = 0; call < 99; call++) assert.equal(time.add(2_000, 100), false);
  time.forgetRound();
  for (let call = 0; call < 99; call++) assert.equal(time.add(2_000, 100), false);
  assert.equal(time.add(2_000, 100), true);
});
