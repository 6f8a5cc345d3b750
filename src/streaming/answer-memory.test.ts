import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { AnswerMemory } from "./answer-memory.ts";

const UNCOUNTED = 16_384;

test("whatever answers grow and end, what is counted is bounded, and nothing once all have ended", () => {
  const step = fc.tuple(fc.nat(7), fc.nat(30_000), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const memory = new AnswerMemory(100_000);
      const sizes = Array.from({ length: 8 }, () => 0);
      for (const [index, bytes, ends] of steps) {
        const size = sizes[index] ?? 0;
        if (ends) {
          memory.giveBack(size, size);
          sizes[index] = 0;
        } else {
          const grown = sizes.with(index, size + bytes);
          const isAlone = counted(grown) === counted([size + bytes]);
          const fits = counted(grown) <= 100_000 || counted(grown) === counted(sizes);
          assert.equal(memory.grow(size, bytes), isAlone || fits);
          if (isAlone || fits) sizes[index] = size + bytes;
        }
        assert.equal(memory.bytes, counted(sizes));
      }
      for (const size of sizes) memory.giveBack(size, size);
      assert.equal(memory.bytes, 0);
    }),
  );
});

test("one that is alone may grow beyond the bound, and others then only to what is not counted", () => {
  const memory = new AnswerMemory(50_000);
  assert.ok(memory.grow(0, 1_000_000));
  assert.ok(memory.grow(0, UNCOUNTED));
  assert.equal(memory.grow(UNCOUNTED, 1), false);
  memory.giveBack(1_000_000, 1_000_000);
  assert.ok(memory.grow(UNCOUNTED, 1));
});

function counted(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + Math.max(0, size - UNCOUNTED), 0);
}
