import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { HeldBytes } from "./held-bytes.ts";

test("what is taken is what was added, in order, although the memory was used again", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 60 }), (added) => {
      const held = new HeldBytes(new AnswerMemory(Infinity));
      for (const bytes of added) {
        const reused = Uint8Array.from(bytes);
        held.add(reused);
        reused.fill(0);
      }
      assert.equal(
        held.size,
        added.reduce((sum, bytes) => sum + bytes.byteLength, 0),
      );
      assert.deepEqual(Buffer.concat(held.take()), Buffer.concat(added));
      assert.equal(held.size, 0);
      assert.deepEqual(held.take(), []);
    }),
  );
});

test("many small events lie in few blocks that are at most half empty", () => {
  const held = new HeldBytes(new AnswerMemory(Infinity));
  for (let index = 0; index < 10_000; index++) held.add(Buffer.from("data: {}\n\n"));
  const blocks = held.take();
  assert.ok(blocks.length < 20, `${blocks.length} blocks`);
  const memory = new Set(blocks.map((block) => block.buffer)).values().reduce((sum, each) => sum + each.byteLength, 0);
  assert.ok(memory <= 2 * 100_000 + 65_536, `${memory} bytes`);
});

test("what finds no memory is not held, and what was held gives its own back", () => {
  const memory = new AnswerMemory(50_000);
  const first = new HeldBytes(memory);
  const second = new HeldBytes(memory);
  assert.ok(first.add(Buffer.alloc(60_000)));
  assert.ok(second.add(Buffer.alloc(16_384)));
  assert.equal(second.add(Buffer.alloc(10_000)), false);
  assert.equal(second.size, 16_384);
  first.clear();
  first.clear();
  assert.ok(second.add(Buffer.alloc(10_000)));
  second.take();
  assert.equal(memory.bytes, 0);
});
