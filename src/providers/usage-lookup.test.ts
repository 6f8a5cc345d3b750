import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { emptyUsage, totalInputTokens, totalOutputTokens } from "../kernel/usage.ts";
import { findProviderSpec } from "./catalogue.ts";
import { parseUsageLookup, readUsageLookup, usageLookupPath } from "./usage-lookup.ts";

/** The example in OpenRouter's reference, with the counts that the gateway does not read left in. */
const openRouterAnswer = {
  data: {
    id: "gen-3bhGkxlo4XFrqiabUM7NDtwDzWwG",
    total_cost: 0.0015,
    model: "sao10k/l3-stheno-8b",
    tokens_prompt: 11,
    tokens_completion: 26,
    native_tokens_prompt: 10,
    native_tokens_completion: 25,
    native_tokens_completion_images: 0,
    native_tokens_reasoning: 5,
    native_tokens_cached: 3,
    num_search_results: 5,
  },
};

test("the native counts become disjoint buckets: cached inside the prompt, reasoning inside the completion", () => {
  assert.deepEqual(parseUsageLookup(openRouterAnswer), {
    ...emptyUsage(),
    inputTokens: 7,
    cacheReadTokens: 3,
    outputTokens: 20,
    reasoningTokens: 5,
  });
});

test("counts that are null or absent are zero", () => {
  const data = { native_tokens_prompt: 4, native_tokens_completion: 521, native_tokens_reasoning: null };
  assert.deepEqual(parseUsageLookup({ data }), { ...emptyUsage(), inputTokens: 4, outputTokens: 521 });
});

test("the simulator's cache writes are inside the prompt too", () => {
  const data = {
    native_tokens_prompt: 100,
    native_tokens_completion: 0,
    native_tokens_cached: 50,
    native_tokens_cache_write_5m: 20,
    native_tokens_cache_write_1h: 10,
  };
  assert.deepEqual(parseUsageLookup({ data }), {
    ...emptyUsage(),
    inputTokens: 20,
    cacheReadTokens: 50,
    cacheWrite5mTokens: 20,
    cacheWrite1hTokens: 10,
  });
});

test("the buckets add up to the provider's totals, whatever the shares claim", () => {
  const tokens = fc.nat(1_000_000);
  fc.assert(
    fc.property(tokens, tokens, tokens, tokens, tokens, (prompt, completion, cached, written, reasoning) => {
      const usage = parseUsageLookup({
        data: {
          native_tokens_prompt: prompt,
          native_tokens_completion: completion,
          native_tokens_cached: cached,
          native_tokens_cache_write_5m: written,
          native_tokens_reasoning: reasoning,
        },
      });
      assert.equal(totalInputTokens(usage), prompt);
      assert.equal(totalOutputTokens(usage), completion);
      assert.ok(Object.values(usage).every((count) => count >= 0));
    }),
  );
});

test("an answer without native totals is refused, not read as zero", () => {
  for (const json of [
    null,
    "text",
    {},
    { data: null },
    { data: { tokens_prompt: 5 } },
    { data: { native_tokens_prompt: -1 } },
  ]) {
    assert.throws(
      () => parseUsageLookup(json),
      (error: unknown) => error instanceof HeadgateError && error.code === "upstream_malformed",
    );
  }
});

test("404 means that there was no such call, unless the provider says that it is still running", () => {
  assert.deepEqual(readUsageLookup(404, { error: { code: "generation_not_found" } }), { kind: "absent" });
  assert.deepEqual(readUsageLookup(404, null), { kind: "absent" });
  assert.deepEqual(readUsageLookup(404, { error: { code: "generation_running" } }), { kind: "pending" });
  assert.equal(readUsageLookup(200, openRouterAnswer).kind, "found");
  assert.throws(() => readUsageLookup(500, openRouterAnswer), /status 500/);
});

test("the id is put into the path URL-encoded", () => {
  const lookup = findProviderSpec("openrouter")?.usageLookup;
  assert.ok(lookup);
  assert.equal(usageLookupPath(lookup, "gen-1&x=$&"), "/generation?id=gen-1%26x%3D%24%26");
});
