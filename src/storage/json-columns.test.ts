import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeHeldAmounts, parseHeldAmounts } from "./json-columns.ts";

test("what is held of accounts comes back as it was, whatever the accounts are called", () => {
  const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  const parts = { ownerId: fc.constantFrom("own_1", "own_2"), accountId: fc.string(), amount };
  const held = fc.record(parts, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(held), (amounts) => {
      assert.deepEqual(parseHeldAmounts(encodeHeldAmounts(amounts)), amounts);
    }),
  );
  assert.equal(encodeHeldAmounts([]), null);
});
