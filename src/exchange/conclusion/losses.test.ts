import assert from "node:assert/strict";
import { test } from "node:test";
import { summarizeLosses } from "./losses.ts";

test("a field that every element of a list loses is named once", () => {
  const losses = Array.from({ length: 1_000 }, (_, index) => `tools[${index}].cache_control`);
  assert.deepEqual(summarizeLosses([...losses, "messages[3].content[12].id", "seed"]), [
    "tools[].cache_control",
    "messages[].content[].id",
    "seed",
  ]);
});

test("many fields, and long names, take about a kilobyte and are counted", () => {
  const many = Array.from({ length: 500 }, (_, index) => `field_${index}`);
  const summary = summarizeLosses(many);
  assert.ok(summary.join(", ").length < 1_400);
  assert.equal(summary.at(-1), `and ${500 - (summary.length - 1)} more`);
  assert.equal(summarizeLosses(["x".repeat(1_000_000)])[0]?.length, 103);
});
