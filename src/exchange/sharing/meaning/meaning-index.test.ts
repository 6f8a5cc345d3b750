import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { toNanoUsd } from "../../../kernel/money.ts";
import type { KeptMeaning } from "../../../storage/answers/answers.ts";
import { MemoryAnswers } from "../../../../test/support/memory-answers.ts";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { MeaningIndex } from "./meaning-index.ts";

const HOUR_MS = 3_600_000;
const MUCH = 1e9;

/** In a plane: nearer angles are nearer meanings. */
function at(degrees: number): Float32Array {
  const angle = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(angle), Math.sin(angle));
}

class World {
  readonly clock: VirtualClock = createVirtualClock();
  readonly answers: MemoryAnswers = new MemoryAnswers(this.clock);
  readonly index: MeaningIndex = new MeaningIndex(this.clock);

  meaning(cacheKey: string, degrees: number, ageMs = 0): KeptMeaning {
    const atMs = this.clock.wallMs() - ageMs;
    return { cacheKey, vector: at(degrees), atMs, expiresAtMs: atMs + HOUR_MS };
  }

  /** As another process keeps it. */
  async keep(partition: string, { cacheKey, vector, atMs, expiresAtMs }: KeptMeaning): Promise<void> {
    const answer = { requestId: "req_1", kind: "whole" as const, atMs, headers: [], body: Buffer.alloc(1) };
    const served = { modelServed: "own/m", provider: "own", costNanoUsd: toNanoUsd(1n) };
    const cached = { cacheKey, tenantId: "ten_1", modelAsked: "faq", expiresAtMs, answer: { ...answer, ...served } };
    await this.answers.cache(cached, { partition, vector });
  }

  async ready(partition: string, bytesMax = MUCH): Promise<void> {
    let isReady = false;
    const ready = this.index.ready(partition, this.answers, bytesMax);
    ready.then(
      () => (isReady = true),
      () => (isReady = true),
    );
    for (let turn = 0; turn < 100 && !isReady; turn++) {
      await nextTurn();
      this.clock.advance(0);
    }
    await ready;
  }

  nearest(partition: string, degrees: number, threshold = 0.5, maxAgeMs = Infinity): string | null {
    return this.index.nearest(partition, at(degrees), threshold, maxAgeMs)?.cacheKey ?? null;
  }
}

describe("the index of meanings", () => {
  test("finds the nearest of the partition that is near enough", () => {
    const world = new World();
    for (const degrees of [0, 40, 90]) world.index.add("p", world.meaning(`at ${degrees}`, degrees), MUCH);
    world.index.add("other", world.meaning("of another", 50), MUCH);
    assert.equal(world.nearest("p", 50), "at 40");
    assert.equal(world.nearest("p", 80), "at 90");
    assert.equal(world.nearest("p", 20.1, 0.93), "at 40");
    assert.equal(world.nearest("p", 65, 0.95), null);
    assert.equal(world.nearest("unknown", 0), null);
    const { similarity } = world.index.nearest("p", at(60), 0, Infinity) ?? { similarity: 0 };
    assert.ok(Math.abs(similarity - Math.cos(Math.PI / 9)) < 1e-6);
  });

  test("passes over what has expired, is too old for the one who asks, or was dropped", () => {
    const world = new World();
    world.index.add("p", world.meaning("old", 0, 1_000), MUCH);
    world.index.add("p", world.meaning("new", 10), MUCH);
    assert.equal(world.nearest("p", 0), "old");
    assert.equal(world.nearest("p", 0, 0.5, 999), "new");
    world.index.drop("p", "new");
    assert.equal(world.nearest("p", 0, 0.5, 999), null);
    world.clock.advance(HOUR_MS - 1_000);
    assert.equal(world.nearest("p", 0), null);
  });

  test("reads what the store has, in portions, and now and again what others have added", async () => {
    const world = new World();
    for (let count = 0; count < 120; count++) await world.keep("p", world.meaning(`${count}`, count / 2, count));
    await world.ready("p");
    assert.equal(world.nearest("p", 0), "0");
    assert.equal(world.nearest("p", 59.5), "119");
    await world.keep("p", world.meaning("later", 90));
    await world.ready("p");
    assert.equal(world.nearest("p", 90, 0.99), null);
    world.clock.advance(10_000);
    await world.ready("p");
    assert.equal(world.nearest("p", 90, 0.99), "later");
  });

  test("rejects as the store does, and reads again with the next request", async () => {
    const world = new World();
    await world.keep("p", world.meaning("a", 0));
    world.answers.failure = new Error("away");
    await assert.rejects(world.ready("p"), /away/);
    world.answers.failure = null;
    await world.ready("p");
    assert.equal(world.nearest("p", 0), "a");
  });

  test("has the newest thousand of a partition", () => {
    const world = new World();
    world.index.add("p", world.meaning("newest", 0), MUCH);
    for (let ageMs = 1; ageMs <= 1_000; ageMs++) world.index.add("p", world.meaning(`${ageMs}`, 90, ageMs), MUCH);
    assert.equal(world.nearest("p", 0), "newest");
    world.index.add("p", world.meaning("oldest", 0, 1_001), MUCH);
    world.index.drop("p", "newest");
    assert.equal(world.nearest("p", 0), null);
  });

  test("has fewer of longer vectors, so that comparing takes no longer", () => {
    const world = new World();
    const vector = new Float32Array(16_000).fill(0.01);
    for (let count = 0; count < 101; count++)
      world.index.add("p", { ...world.meaning(`${count}`, 0, 101 - count), vector }, MUCH);
    const found = new Set<string>();
    for (;;) {
      const nearest = world.index.nearest("p", vector, 0.5, Infinity);
      if (nearest === null) break;
      found.add(nearest.cacheKey);
      world.index.drop("p", nearest.cacheKey);
    }
    assert.deepEqual([found.size, found.has("0"), found.has("100")], [100, false, true]);
  });

  test("forgets the partition that was unused for longest when there is no more room, and reads it again", async () => {
    const world = new World();
    const size = 8 + 256;
    for (const partition of ["a", "b"]) {
      await world.keep(partition, world.meaning(partition, 0));
      await world.ready(partition, 3 * (size + 256));
    }
    assert.equal(world.nearest("a", 0), "a");
    world.index.add("c", world.meaning("c", 0), 2 * (size + 256));
    assert.deepEqual([world.nearest("a", 0), world.nearest("b", 0), world.nearest("c", 0)], [null, "b", "c"]);
    await world.ready("a");
    assert.equal(world.nearest("a", 0), "a");
  });

  test("keeps the newest of a partition that is larger than all the room there is", () => {
    const world = new World();
    for (const [key, ageMs] of [
      ["old", 2],
      ["new", 1],
    ] as const)
      world.index.add("p", world.meaning(key, 0, ageMs), 256 + 8 + 256);
    assert.equal(world.nearest("p", 0), "new");
  });
});
