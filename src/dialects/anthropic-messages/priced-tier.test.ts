import assert from "node:assert/strict";
import { test } from "node:test";
import { readPricedTier } from "./priced-tier.ts";

test("a tier goes by its name, and what else has rates of its own by another", () => {
  assert.equal(readPricedTier({}), null);
  assert.equal(readPricedTier({ service_tier: "standard", speed: "standard", inference_geo: "global" }), "standard");
  assert.equal(readPricedTier({ service_tier: "priority", inference_geo: "us" }), "priority");
  assert.equal(readPricedTier({ service_tier: "auto", inference_geo: "us" }), "us");
  assert.equal(readPricedTier({ service_tier: "standard", speed: "fast" }), "fast");
  assert.equal(readPricedTier({ speed: "fast", inference_geo: "us" }), "fast-us");
});
