import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import { otherModels } from "./other-models.ts";

function read(fields: object) {
  return otherModels(parseJsonDocument(Buffer.from(JSON.stringify({ model: "m", ...fields })), { depth: 32 }));
}

test("a request that speaks of its model alone speaks of no others", () => {
  for (const fields of [
    {},
    { models: [], fallbacks: null, preset: null, route: null, plugins: [], compound_custom: {}, providerOptions: {} },
    {
      plugins: [
        { id: "web", max_results: 3 },
        { id: "fusion", enabled: false },
      ],
    },
    {
      tools: [{ type: "function", function: { name: "f" } }, { type: "web_search_20250305", name: "s" }, { name: "f" }],
    },
    { provider: { order: ["azure"], allow_fallbacks: true }, transforms: ["middle-out"] },
  ]) {
    assert.equal(read(fields), null, JSON.stringify(fields));
  }
});

test("each field that names models is read, with the path of each name", () => {
  for (const [fields, names] of [
    [
      { models: ["a", "b"], route: "fallback" },
      { "models[0]": "a", "models[1]": "b" },
    ],
    [{ fallbacks: ["a", { model: "b" }] }, { "fallbacks[0]": "a", "fallbacks[1].model": "b" }],
    [{ providerOptions: { gateway: { models: ["a"] } } }, { "providerOptions.gateway.models[0]": "a" }],
    [
      { compound_custom: { models: { answering_model: "a", reasoning_model: null } } },
      { "compound_custom.models.answering_model": "a" },
    ],
    [{ tools: [{ type: "advisor_20260301", name: "advisor", model: "a" }] }, { "tools[0].model": "a" }],
    [{ tools: [{ type: "openrouter:subagent", parameters: { model: "a" } }] }, { "tools[0].parameters.model": "a" }],
  ] as const) {
    const found = read(fields);
    assert.deepEqual(Object.fromEntries(found?.named.map(({ field, name }) => [field, name]) ?? []), names);
    assert.equal(found?.openField, null);
  }
});

test("a field that leaves the choice to the provider is told", () => {
  for (const [fields, openField] of [
    [{ fallbacks: "default" }, "fallbacks"],
    [{ models: [["a"]] }, "models[0]"],
    [{ route: "fallback" }, "route"],
    [{ preset: "mine" }, "preset"],
    [{ plugins: [{ id: "web" }, { id: "fusion", analysis_models: ["a"] }] }, "plugins[1]"],
    [{ tools: [{ type: "openrouter:advisor" }] }, "tools[0]"],
    [{ tools: [{ type: "openrouter:fusion", parameters: { model: "a" } }] }, "tools[0]"],
  ] as const) {
    assert.equal(read(fields)?.openField, openField, JSON.stringify(fields));
  }
});

test("a bound on output that is another model's own is read", () => {
  const fallbacks = [{ model: "a", max_tokens: 100 }, { model: "b", max_tokens: 70_000 }, { model: "c" }];
  assert.equal(read({ fallbacks })?.outputTokens, 70_000);
});
