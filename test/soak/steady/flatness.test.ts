import assert from "node:assert/strict";
import { test } from "node:test";
import { flatnessOf } from "./flatness.ts";

const bound = { share: 0.1, slack: 5 };

test("compares the middle of the last third with that of the first, whatever is between them", () => {
  const flat = flatnessOf([100, 90, 110, 500, 500, 500, 112, 115, 900], bound);
  assert.deepEqual(flat, { first: 100, last: 115, most: 100 * 1.1 + 5, isFlat: true });
});

test("finds what grows a little with each sample", () => {
  const samples = Array.from({ length: 30 }, (_, at) => 100 + at);
  assert.equal(flatnessOf(samples, bound).isFlat, false);
  assert.equal(flatnessOf(samples, { share: 0.1, slack: 15 }).isFlat, true);
});

test("what shrinks is flat", () => {
  assert.equal(flatnessOf([9, 8, 7], { share: 0, slack: 0 }).isFlat, true);
});

test("refuses to judge by fewer than three samples", () => {
  assert.throws(() => flatnessOf([1, 2], bound), /2 samples have no thirds/);
});
