import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import { MemoryAnswers } from "../../../test/support/memory-answers.ts";
import { StoreTier } from "./store-tier.ts";

interface Scene {
  readonly clock: VirtualClock;
  readonly tier: StoreTier;
  /** What failed in the background. */
  readonly failed: string[];
}

function createScene(): Scene {
  const clock = createVirtualClock();
  const failed: string[] = [];
  const telemetry = { backgroundFailed: (what: string) => void failed.push(what) };
  return { clock, failed, tier: new StoreTier({ clock, answers: new MemoryAnswers(clock), telemetry }) };
}

function fail(): never {
  throw new Error("away");
}

test("a store that answers at once is not timed", async () => {
  const { clock, tier } = createScene();
  const asked = tier.ask("looking", () => "found");
  assert.equal(clock.pendingCount, 0);
  assert.equal(await asked, "found");
});

test("a store that takes its time is waited for, and leaves no timer behind", async () => {
  const { clock, tier } = createScene();
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked = tier.ask("looking", () => promise);
  clock.advance(99);
  resolve("found");
  assert.equal(await asked, "found");
  assert.equal(clock.pendingCount, 0);
});

test("a store that takes too long has nothing", async () => {
  const { clock, tier } = createScene();
  const asked = tier.ask("looking", () => new Promise<string>(() => {}));
  clock.advance(101);
  assert.equal(await asked, null);
});

for (const [how, question] of [
  ["at once", fail],
  ["later", async () => fail()],
] as const) {
  test(`a store that fails ${how} has nothing, is told of, and is left alone for a while`, async () => {
    const { clock, tier, failed } = createScene();
    assert.equal(await tier.ask("looking", question), null);
    assert.deepEqual(failed, ["looking"]);
    assert.equal(await tier.ask("looking", () => "found"), null);
    clock.advance(5_001);
    assert.equal(await tier.ask("looking", () => "found"), "found");
  });
}
