import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { IndexedHeap } from "./indexed-heap.ts";

interface Ranked {
  rank: number;
  heapPlace: number;
}

const ranks = fc.integer({ min: 0, max: 30 });

test("the first is the lowest, whatever was added, removed and moved", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("add", "remove", "move"), fc.nat(50), ranks)), (steps) => {
      const heap = new IndexedHeap<Ranked>((one, other) => one.rank < other.rank);
      const members: Ranked[] = [];
      for (const [kind, pick, rank] of steps) {
        const chosen = members[pick % Math.max(1, members.length)];
        if (kind === "add") {
          const member = { rank, heapPlace: -1 };
          heap.add(member);
          members.push(member);
        } else if (kind === "remove" && chosen !== undefined) {
          heap.remove(chosen);
          members.splice(members.indexOf(chosen), 1);
          assert.equal(chosen.heapPlace, -1);
        } else if (chosen !== undefined) {
          chosen.rank = rank;
          heap.moved(chosen);
        }
        assert.equal(heap.size, members.length);
        const lowest = members.length === 0 ? null : Math.min(...members.map((member) => member.rank));
        assert.equal(heap.first?.rank ?? null, lowest);
      }
      for (let last = -1, next = heap.first; next !== null; next = heap.first) {
        assert.ok(next.rank >= last);
        last = next.rank;
        heap.remove(next);
      }
    }),
  );
});

test("removing what is not in changes nothing", () => {
  const heap = new IndexedHeap<Ranked>((one, other) => one.rank < other.rank);
  heap.add({ rank: 1, heapPlace: -1 });
  heap.remove({ rank: 0, heapPlace: -1 });
  assert.equal(heap.size, 1);
});
