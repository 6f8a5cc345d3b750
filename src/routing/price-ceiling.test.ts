import assert from "node:assert/strict";
import { test } from "node:test";
import { createPriceCeiling, type RoutedPrice } from "./price-ceiling.ts";

const body = new Uint8Array(0);

function objection(
  config: { readonly input?: string; readonly output?: string },
  price: RoutedPrice | null,
  inputTokens = 100,
): string | null {
  const ceiling = createPriceCeiling({ input: null, output: null, ...config }, () => inputTokens);
  assert.ok(ceiling !== null);
  return ceiling.objection(price, body);
}

function price(rates: RoutedPrice["rates"], standIn = false): RoutedPrice {
  return { rates, standIn };
}

test("no bound is no ceiling", () => {
  assert.equal(
    createPriceCeiling({ input: null, output: null }, () => 0),
    null,
  );
});

test("a price up to the ceiling passes, a dearer one is told with both amounts", () => {
  assert.equal(objection({ input: "2.5", output: "10" }, price({ input: "2.5", output: "10.0" })), null);
  assert.equal(
    objection({ input: "2.5" }, price({ input: "2.500000001", output: "99" })),
    "costs $2.500000001 per million input tokens, above the route's ceiling of $2.50",
  );
  assert.match(objection({ output: "10" }, price({ input: "99", output: "11" })) ?? "", /output tokens/);
});

test("what has no price passes no ceiling, and what is free passes every one", () => {
  assert.match(objection({ input: "1000" }, null) ?? "", /has no price/);
  assert.match(objection({ input: "1000" }, price({}, true)) ?? "", /has no price/);
  assert.equal(objection({ input: "0", output: "0" }, price({})), null);
});

test("a request that is long enough for a dearer tier is judged by that tier", () => {
  const tiered = price({ input: ["1", [1000, "2"], [5000, "4"]], output: "5" });
  const ceiling = { input: "2" };
  assert.equal(objection(ceiling, tiered, 1000), null);
  assert.equal(objection(ceiling, tiered, 1001), null);
  assert.equal(objection(ceiling, tiered, 5000), null);
  assert.match(objection(ceiling, tiered, 5001) ?? "", /costs \$4\.00/);
});
