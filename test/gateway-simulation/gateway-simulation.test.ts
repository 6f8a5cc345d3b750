import assert from "node:assert/strict";
import { test } from "node:test";
import { renderFailure, Tally } from "../support/seeds/tally.ts";
import { runSeed } from "./run-seed.ts";
import { gatewaySimulation } from "./simulation.ts";

/** CI runs thousands. */
const SEEDS = 150;

test("every request ends well or honestly in every simulated world, whatever goes wrong there", async () => {
  const tally = new Tally();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runSeed(seed);
    assert.equal(result.failure, null, renderFailure(gatewaySimulation, result));
    tally.add(result);
  }
  const happened = [
    "answers: broken off",
    "answers: complete",
    "answers: cut off",
    "answers: error deadline_exceeded",
    "answers: error overloaded",
    "answers: error shutting_down",
    "answers: error storage_unavailable",
    "answers: error target_limited",
    "answers: error target_unavailable",
    "answers: killed",
    "answers: left",
    "calls beside others",
    "calls made again",
    "calls of other targets",
    "comparisons",
    "processes killed",
    "requests asked again",
    "reuse: bypass",
    "reuse: hit",
    "reuse: joined",
    "reuse: semantic",
  ];
  for (const what of happened) assert.ok(tally.counts.of(what) > 0, `in ${SEEDS} worlds there were no ${what}`);
});

test("the same seed is the same world, to the last event", async () => {
  for (const seed of [3, 14, 15]) {
    const [first, second] = [await runSeed(seed), await runSeed(seed)];
    assert.equal(first.digest, second.digest);
    assert.equal(first.events, second.events);
  }
});
