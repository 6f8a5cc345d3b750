import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedCache } from "./bounded-cache.ts";

test("never holds more than its size, and forgets what was not used lately", () => {
  const cache = new BoundedCache<number>(10);
  for (let index = 0; index < 100; index++) {
    cache.set(`key-${index}`, index);
    assert.equal(cache.get("key-0"), 0, "what is used stays");
  }
  const kept = Array.from({ length: 100 }, (_, index) => cache.get(`key-${index}`)).filter(
    (value) => value !== undefined,
  );
  assert.ok(kept.length <= 10, `${kept.length} entries are held`);
  assert.equal(cache.get("key-99"), 99);
  assert.equal(cache.get("key-1"), undefined);
});

test("clearing forgets everything", () => {
  const cache = new BoundedCache<number>(4);
  for (const key of ["a", "b", "c"]) cache.set(key, 1);
  cache.clear();
  assert.deepEqual(
    ["a", "b", "c"].map((key) => cache.get(key)),
    [undefined, undefined, undefined],
  );
});
