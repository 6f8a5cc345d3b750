import assert from "node:assert/strict";
import { test } from "node:test";
import { createPriceCatalogue, type CatalogueList, type CatalogueModel } from "./catalogue.ts";
import { compileMatchRule, withDashedDate, type MatchRule } from "./model-match.ts";

const rows: readonly (readonly [rule: MatchRule, fits: readonly string[], others: readonly string[]])[] = [
  [{ equals: "GPT-5" }, ["gpt-5"], ["gpt-5-mini", "a-gpt-5"]],
  [{ starts_with: "Claude-3" }, ["claude-3", "claude-3-opus"], ["my-claude-3"]],
  [{ ends_with: ":free" }, ["a/b:free"], ["a/b:free2"]],
  [{ contains: "llama" }, ["meta/llama-4"], ["lama"]],
  [{ regex: "^grok-4\\.5-\\d{8}$" }, ["grok-4.5-20261001"], ["grok-445-20261001", "grok-4.5"]],
  [{ or: [{ equals: "a" }, { equals: "b" }] }, ["a", "b"], ["ab"]],
  [{ and: [{ starts_with: "a" }, { ends_with: "z" }] }, ["az", "abz"], ["a", "z"]],
];

for (const [rule, fits, others] of rows) {
  test(`the rule ${JSON.stringify(rule)} fits what it says and nothing else`, () => {
    const matches = compileMatchRule(rule);
    for (const name of fits) assert.equal(matches(name), true, name);
    for (const name of others) assert.equal(matches(name), false, name);
  });
}

test("a compact release date is written with dashes, and only a date is", () => {
  assert.equal(withDashedDate("gpt-5-20250807"), "gpt-5-2025-08-07");
  assert.equal(withDashedDate("m-20250807:x"), "m-2025-08-07:x");
  assert.equal(withDashedDate("m-20251307"), null);
  assert.equal(withDashedDate("m-120250807"), null);
  assert.equal(withDashedDate("m"), null);
});

function entry(id: string, match: MatchRule): CatalogueModel {
  return { id, match, prices: [{ rates: { input: "1" } }] };
}

function catalogue(lists: Readonly<Record<string, CatalogueList>>) {
  return createPriceCatalogue([{ release: "test-1", lists: new Map(Object.entries(lists)) }]);
}

test("names are found without regard to case and surrounding space; the first row that fits is taken", () => {
  const prices = catalogue({
    a: { fallback: [], unpriced: [], models: [entry("exact", { equals: "m-1" }), entry("any", { starts_with: "m" })] },
  });
  assert.equal(prices.find("a", " M-1 ")?.source, "test-1/a/exact");
  assert.equal(prices.find("a", "m-2")?.source, "test-1/a/any");
  assert.equal(prices.find("a", "n"), null);
  assert.equal(prices.find("b", "m"), null);
});

test("a list without the model asks its fall-back lists, in order", () => {
  const prices = catalogue({
    host: { fallback: ["none", "first", "second"], unpriced: [], models: [entry("own", { equals: "own" })] },
    first: { fallback: [], unpriced: [], models: [entry("shared", { equals: "shared" })] },
    second: {
      fallback: [],
      unpriced: [],
      models: [entry("shared", { equals: "shared" }), entry("last", { equals: "last" })],
    },
  });
  assert.equal(prices.find("host", "own")?.source, "test-1/host/own");
  assert.equal(prices.find("host", "shared")?.source, "test-1/first/shared");
  assert.equal(prices.find("host", "last")?.source, "test-1/second/last");
});

test("a list names its models once each", () => {
  const prices = catalogue({
    a: {
      fallback: [],
      unpriced: [],
      models: [entry("x", { equals: "x" }), entry("x", { equals: "x2" }), entry("y", { equals: "y" })],
    },
  });
  assert.deepEqual(prices.models("a"), ["x", "y"]);
  assert.deepEqual(prices.models("b"), []);
});
