import assert from "node:assert/strict";
import { test } from "node:test";
import { FailureRun } from "./failure-run.ts";

const LEAST = 5;
const SILENCE_MS = 10_000;

/** Calls that end one after another. */
function end(run: FailureRun, outcome: "answered" | "failed", times = 1): void {
  for (let call = 0; call < times; call++) {
    run.began();
    run.heard();
    if (outcome === "answered") run.answered();
    else run.failed(0);
  }
}

/** How many failures in a row are telling now. */
function tellingLength(run: FailureRun): number {
  let length = 0;
  while (!run.isTelling(LEAST, SILENCE_MS, 0)) {
    end(run, "failed");
    length++;
  }
  return length;
}

function afterCalls(failuresInAnswer: number, rounds: number): FailureRun {
  const run = new FailureRun();
  for (let round = 0; round < rounds; round++) {
    end(run, "failed", failuresInAnswer);
    end(run, "answered");
  }
  return run;
}

test("a few failures in a row are telling of a target that always answers, and of one of which nothing is known", () => {
  assert.equal(tellingLength(afterCalls(0, 100)), LEAST);
  assert.equal(tellingLength(new FailureRun()), LEAST);
});

test("of one that often fails it takes as many more as make it no coincidence", () => {
  const half = tellingLength(afterCalls(1, 50));
  const most = tellingLength(afterCalls(3, 50));
  assert.ok(half >= 12 && half <= 16, `${half} where every second call fails`);
  assert.ok(most >= 28 && most <= 36, `${most} where three of four fail`);
  assert.equal(tellingLength(afterCalls(10, 50)), 50, "and no more than fifty");
});

test("what was usual is forgotten after some calls that were answered", () => {
  const run = afterCalls(1, 50);
  end(run, "answered", 150);
  assert.equal(tellingLength(run), LEAST);
});

test("a row says nothing while as many calls are silent, but not for longer than the given time", () => {
  const run = new FailureRun();
  for (let silent = 0; silent < 10; silent++) run.began();
  end(run, "failed", 40);
  assert.deepEqual([run.isTelling(LEAST, SILENCE_MS, 9_999), run.isTelling(LEAST, SILENCE_MS, 10_000)], [false, true]);
  for (let silent = 0; silent < 5; silent++) run.heard();
  assert.ok(run.isTelling(LEAST, SILENCE_MS, 0));
});
