import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { UnderWay } from "./under-way.ts";

test("holds what a map holds, whatever is set and deleted in whatever order", () => {
  const step = fc.tuple(fc.boolean(), fc.constantFrom("a", "b", "c"), fc.integer());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const underWay = new UnderWay<number>();
      const model = new Map<string, number>();
      for (const [sets, key, value] of steps) {
        if (sets) {
          underWay.set(key, value);
          model.set(key, value);
        } else {
          underWay.delete(key);
          model.delete(key);
        }
        for (const each of ["a", "b", "c"]) assert.equal(underWay.get(each), model.get(each) ?? null);
      }
    }),
  );
});
