import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRequest } from "../../test/support/routing.ts";
import { loadPriceCatalogue } from "../accounting/prices/catalogue.ts";
import { checkConfig } from "../config/check.ts";
import type { Capability, ProviderModelConfig } from "../config/config.ts";
import { defaultConfig, listedModel } from "../config/defaults.ts";
import { providerSpecs } from "../providers/catalogue.ts";
import type { RoutedModelFacts } from "../routing/candidate.ts";
import { createSnapshot } from "./snapshot.ts";

const catalogue = loadPriceCatalogue();

function factsOf(kind: string, model: string, models: readonly ProviderModelConfig[]): RoutedModelFacts | undefined {
  const config = defaultConfig({ providers: { it: { kind, baseUrl: "http://127.0.0.1:9/v1", models } } });
  const snapshot = createSnapshot(config, { catalogue, random: () => 0, userAgent: "test" });
  return snapshot.routed.get("it")?.factsOf(model);
}

test("what the configuration says of a model wins over the catalogue, and what it leaves out is the catalogue's", () => {
  const known = factsOf("openai", "gpt-4o", []);
  assert.ok(known !== undefined && known.contextTokens !== null && known.maxOutputTokens !== null);
  assert.ok(known.lacks.length > 0 && !known.lacks.includes("images"));
  const smaller = factsOf("openai", "gpt-4o", [listedModel("gpt-4o", { contextTokens: 9, lacks: ["images"] })]);
  assert.deepEqual(smaller, { ...known, contextTokens: 9, lacks: [...known.lacks, "images"] });
  assert.deepEqual(
    factsOf("openai", "gpt-4o", [listedModel("gpt-4o"), listedModel("own", { contextTokens: 9 })]),
    known,
  );
});

test("of a server's own models there is known what the configuration says, by their exact names", () => {
  const own = [listedModel("llama", { contextTokens: 8192, maxOutputTokens: 2048, lacks: ["tools"] })];
  const facts = { contextTokens: 8192, maxOutputTokens: 2048, lacks: ["tools"], thinksUnasked: false };
  const nothing = { contextTokens: null, maxOutputTokens: null, lacks: [], thinksUnasked: false };
  for (const kind of ["vllm", "openai-compatible", "anthropic-compatible"]) {
    assert.deepEqual(factsOf(kind, "llama", own), facts);
    assert.deepEqual(factsOf(kind, "llama-2", own), nothing);
  }
});

test("everything that a request can need can be said to be lacking", () => {
  const needs = Object.keys(makeRequest("m").view.needs) as Capability[];
  const text = `providers: {it: {kind: vllm, models: [{name: m, lacks: [${needs.join(", ")}]}]}}`;
  const file = { text, name: "headgate.yaml", path: "/etc/headgate.yaml" };
  const checked = checkConfig({ file, env: {}, flags: {}, workingDirectory: "/", knownProviders: providerSpecs });
  assert.ok(checked.ok);
  assert.deepEqual(checked.loaded.config.providers["it"]?.models, [listedModel("m", { lacks: needs })]);
});
