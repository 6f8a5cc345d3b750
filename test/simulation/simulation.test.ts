import assert from "node:assert/strict";
import { test } from "node:test";
import { renderFailure, Tally } from "../support/seeds/tally.ts";
import { runSeed } from "./run-seed.ts";
import { escrowSimulation } from "./simulation.ts";

/** CI runs ten thousand. */
const SEEDS = 80;

test("limits hold in every simulated world, whatever goes wrong there", async () => {
  const tally = new Tally();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runSeed(seed);
    assert.equal(result.failure, null, renderFailure(escrowSimulation, result));
    tally.add(result);
  }
  const happened = [
    "calls that freed what they did not use",
    "crashes",
    "extensions",
    "extensions refused",
    "fences",
    "messages lost",
    "messages repeated",
    "overdrafts",
    "requests refused",
    "requests charged from a journal",
    "requests that waited",
    "streams stopped",
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

test("another seed is another world", async () => {
  const digests = new Set<string>();
  for (let seed = 1; seed <= 10; seed++) digests.add((await runSeed(seed)).digest);
  assert.equal(digests.size, 10);
});
