import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toNanoUsd } from "../../kernel/money.ts";
import { type CachedAnswer, sizeOfCached } from "../../storage/answers/answers.ts";
import { MemoryAnswers } from "../../../test/support/memory-answers.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { type AnswerCache, createAnswerCache } from "./answer-cache.ts";

const TTL_MS = 60_000;
const clock = createVirtualClock();

function cached(cacheKey: string, given: { tenantId?: string; model?: string; served?: string } = {}): CachedAnswer {
  const { tenantId = "ten_1", model = "fast", served = "own/m" } = given;
  const answer = {
    requestId: "req_1",
    kind: "whole" as const,
    atMs: clock.wallMs(),
    headers: [],
    body: Buffer.alloc(1_000),
    modelServed: served,
    provider: "own",
    costNanoUsd: toNanoUsd(1n),
  };
  return { cacheKey, tenantId, modelAsked: model, expiresAtMs: clock.wallMs() + TTL_MS, answer };
}

const ONE = sizeOfCached(cached("one"));

function keysIn(cache: AnswerCache, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => cache.find(key, Infinity) !== null);
}

describe("the cache in memory", () => {
  test("keeps of a larger buffer only the answer itself", () => {
    const cache = createAnswerCache(clock, new MemoryAnswers(clock));
    const part = Buffer.alloc(100_000).fill("abc").subarray(1, 1_001);
    const whole = cached("part");
    cache.put({ ...whole, answer: { ...whole.answer, body: part } }, 3 * ONE);
    const body = cache.find("part", Infinity)?.answer.body;
    assert.deepEqual([...(body ?? [])], [...part]);
    assert.equal(body?.buffer.byteLength, 1_000);
  });

  test("drops what was unused for longest when there is no more room", () => {
    const cache = createAnswerCache(clock, new MemoryAnswers(clock));
    for (const key of ["a", "b", "c"]) cache.put(cached(key), 3 * ONE);
    cache.find("a", Infinity);
    cache.put(cached("d"), 3 * ONE);
    assert.deepEqual(keysIn(cache, ["a", "b", "c", "d"]), ["a", "c", "d"]);
  });

  test("takes nothing that has no room by itself, and drops what it would have replaced", () => {
    const cache = createAnswerCache(clock, new MemoryAnswers(clock));
    cache.put(cached("a"), ONE);
    cache.put(cached("a"), ONE - 1);
    assert.deepEqual(keysIn(cache, ["a"]), []);
  });

  test("counts an answer that is put again once", () => {
    const cache = createAnswerCache(clock, new MemoryAnswers(clock));
    for (let time = 0; time < 5; time++) cache.put(cached("a"), 2 * ONE);
    cache.put(cached("b"), 2 * ONE);
    assert.deepEqual(keysIn(cache, ["a", "b"]), ["a", "b"]);
  });

  test("forgets what has expired, and keeps what is only too old for one who asks", () => {
    const cache = createAnswerCache(clock, new MemoryAnswers(clock));
    cache.put(cached("a"), 10 * ONE);
    clock.advance(10_000);
    assert.equal(cache.find("a", 9_999), null);
    assert.deepEqual(keysIn(cache, ["a"]), ["a"]);
    clock.advance(TTL_MS - 10_000);
    assert.deepEqual(keysIn(cache, ["a"]), []);
  });

  test("gives nothing that was purged, whether it was there before or comes afterwards from elsewhere", () => {
    const answers = new MemoryAnswers(clock);
    const cache = createAnswerCache(clock, answers);
    const all = [
      cached("asked"),
      cached("served", { model: "slow", served: "own/fast" }),
      cached("model", { model: "slow" }),
      cached("tenant", { tenantId: "ten_2" }),
    ];
    for (const each of all) cache.put(each, 100 * ONE);
    clock.advance(1);
    answers.purges.push({ tenantId: "ten_1", model: "fast", purgedAtMs: clock.wallMs() });
    const keys = all.map(({ cacheKey }) => cacheKey);
    assert.deepEqual(keysIn(cache, keys), ["served", "model", "tenant"]);
    for (const each of all) cache.put(each, 100 * ONE);
    assert.deepEqual(keysIn(cache, keys), ["served", "model", "tenant"]);
    answers.purges.push({ tenantId: "ten_1", model: "own/fast", purgedAtMs: clock.wallMs() });
    assert.deepEqual(keysIn(cache, keys), ["model", "tenant"]);
    answers.purges.push({ tenantId: null, model: null, purgedAtMs: clock.wallMs() });
    assert.deepEqual(keysIn(cache, keys), []);
    clock.advance(1);
    cache.put(cached("asked"), 100 * ONE);
    assert.deepEqual(keysIn(cache, keys), ["asked"]);
  });
});
