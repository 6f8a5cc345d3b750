import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { cosine, readVectors, toUnitVector } from "./vectors.ts";

const values = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 40 });

test("the product of two unit vectors is the cosine between the vectors they were made of", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), { minLength: 1 }),
      (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const [unitA, unitB] = [toUnitVector(a), toUnitVector(b)];
        if (unitA === null || unitB === null) return;
        const product = pairs.reduce((sum, [x, y]) => sum + x * y, 0);
        assert.ok(Math.abs(cosine(unitA, unitB) - product / (Math.hypot(...a) * Math.hypot(...b))) < 1e-5);
      },
    ),
  );
});

test("a vector has the length 1, or is none", () => {
  assert.equal(toUnitVector([-1.5717277847026288e-162, 0]), null);
  fc.assert(
    fc.property(values, (given) => {
      const vector = toUnitVector(given);
      if (vector === null) assert.ok(Math.hypot(...given) < 1e-149);
      else assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
    }),
  );
});

test("the vectors of an answer come in the order of the inputs, by their index where they have one", () => {
  const data = [{ index: 1, embedding: [0, 2] }, { index: 0, embedding: [3, 0] }, { embedding: "AAAA" }];
  assert.deepEqual(readVectors({ data }), [Float32Array.of(1, 0), Float32Array.of(0, 1), null]);
  assert.deepEqual(readVectors({ data: [null, { index: 7, embedding: [1] }] }), [null, null]);
  for (const json of [null, undefined, {}, { data: {} }]) assert.deepEqual(readVectors(json), []);
});

test("what is no vector is none", () => {
  for (const given of [
    null,
    "AAAA",
    [],
    [0, 0],
    [1, "2"],
    [1, null],
    [1e300, 1e300],
    Array.from({ length: 16_385 }, () => 1),
  ])
    assert.equal(toUnitVector(given), null);
});

test("vectors of different models have nothing in common", () => {
  assert.equal(cosine(Float32Array.of(1), Float32Array.of(1, 0)), 0);
});
