import assert from "node:assert/strict";
import { test } from "node:test";
import { findProviderSpec, providerSpecs } from "./catalogue.ts";
import { findModelFacts } from "./model-facts.ts";

test("every kind of provider stands in the catalogue once and is found by its id", () => {
  const ids = providerSpecs.map((spec) => spec.id);
  assert.equal(new Set(ids).size, ids.length);
  for (const spec of providerSpecs) assert.equal(findProviderSpec(spec.id), spec);
  assert.equal(findProviderSpec("no-such-provider"), null);
});

test("base URLs are absolute and have no trailing slash", () => {
  for (const { id, baseUrl } of providerSpecs) {
    if (baseUrl === null) continue;
    assert.equal(new URL(baseUrl).href.replace(/\/$/, ""), baseUrl, id);
  }
});

test("remote providers are reached over TLS and with a key", () => {
  for (const { id, baseUrl, auth } of providerSpecs) {
    if (baseUrl === null || new URL(baseUrl).hostname === "127.0.0.1") continue;
    assert.ok(baseUrl.startsWith("https://"), id);
    assert.notEqual(auth.scheme, "none", id);
  }
});

test("no environment variable configures two providers", () => {
  const names = providerSpecs.flatMap((spec) => spec.environment);
  assert.equal(new Set(names).size, names.length);
});

test("a usage lookup names where the id goes", () => {
  const lookups = providerSpecs.flatMap((spec) => (spec.usageLookup === null ? [] : [spec.usageLookup]));
  assert.ok(lookups.length > 0);
  for (const lookup of lookups) assert.ok(lookup.path.includes("{id}"));
});

test("a provider that looks calls up by our own id is also sent that id", () => {
  for (const { id, usageLookup, clientRequestIdHeader } of providerSpecs) {
    if (usageLookup?.acceptsClientRequestId === true) assert.notEqual(clientRequestIdHeader, null, id);
  }
});

test("the longest prefix says how much a Claude model may write", () => {
  assert.equal(findModelFacts("anthropic", "claude-opus-4-6").maxOutputTokens, 128_000);
  assert.equal(findModelFacts("anthropic", "claude-opus-4-5-20251101").maxOutputTokens, 64_000);
  assert.equal(findModelFacts("anthropic", "claude-opus-4-1-20250805").maxOutputTokens, 32_000);
  assert.equal(findModelFacts("anthropic", "claude-sonnet-4-5").maxOutputTokens, 64_000);
  assert.equal(findModelFacts("anthropic", "claude-3-haiku-20240307").maxOutputTokens, 4096);
});

test("what is unknown of a model stays unknown", () => {
  assert.deepEqual(findModelFacts("openai", "gpt-5-mini"), { maxOutputTokens: null, lacks: [], thinksUnasked: true });
  assert.deepEqual(findModelFacts("anthropic", "claude-next"), {
    maxOutputTokens: null,
    lacks: ["audio", "logprobs"],
    thinksUnasked: false,
  });
});

test("what models of the past cannot do is known, and nothing is assumed of those that follow them", () => {
  const lacks = (kind: string, model: string) => findModelFacts(kind, model).lacks;
  assert.deepEqual(lacks("openai", "gpt-4-0613"), ["audio", "images", "documents", "reasoning", "jsonSchema"]);
  assert.deepEqual(lacks("openai", "gpt-4o-mini"), ["audio", "reasoning"]);
  assert.deepEqual(lacks("openai", "gpt-4o-audio-preview"), ["reasoning"]);
  assert.deepEqual(lacks("openai", "gpt-4.1"), ["audio", "reasoning"]);
  assert.deepEqual(lacks("openai", "o3"), ["audio", "parallelTools", "logprobs"]);
  assert.deepEqual(lacks("anthropic", "claude-3-5-haiku-latest"), ["audio", "logprobs", "reasoning", "jsonSchema"]);
  assert.deepEqual(lacks("anthropic", "claude-opus-4-20250514"), ["audio", "logprobs", "jsonSchema"]);
  assert.deepEqual(lacks("anthropic", "claude-opus-4-1-20250805"), ["audio", "logprobs"]);
  assert.deepEqual(lacks("deepseek", "deepseek-chat"), ["images", "audio", "documents"]);
  assert.deepEqual(lacks("groq", "llama-4-scout"), ["logprobs", "choices"]);
  assert.deepEqual(lacks("vllm", "gpt-4"), []);
});

test("the longest prefix says how much a model of OpenAI may write", () => {
  assert.equal(findModelFacts("openai", "gpt-4o-2024-05-13").maxOutputTokens, 4096);
  assert.equal(findModelFacts("openai", "gpt-4o-2024-08-06").maxOutputTokens, 16_384);
  assert.equal(findModelFacts("openai", "o1-mini").maxOutputTokens, 65_536);
});
