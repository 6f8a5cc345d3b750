import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { emptyUsage, totalInputTokens, totalOutputTokens } from "../../kernel/usage.ts";
import { UsageTally } from "./usage.ts";

test("is absent until the provider has reported a count, and zero is a count", () => {
  const tally = new UsageTally();
  for (const nothing of [
    undefined,
    null,
    7,
    [],
    {},
    { input_tokens: null },
    { input_tokens: -1 },
    { output_tokens: 0.5 },
  ]) {
    tally.absorb(nothing);
    assert.equal(tally.total(), null);
  }
  tally.absorb({ output_tokens: 0 });
  assert.deepEqual(tally.total(), emptyUsage());
});

test("counts input apart from both cache classes and thinking apart from the rest of the output", () => {
  const tally = new UsageTally();
  tally.absorb({
    input_tokens: 21,
    cache_read_input_tokens: 1000,
    cache_creation_input_tokens: 300,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 },
    output_tokens: 50,
    output_tokens_details: { thinking_tokens: 30 },
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
  });
  assert.deepEqual(tally.total(), {
    ...emptyUsage(),
    inputTokens: 21,
    cacheReadTokens: 1000,
    cacheWrite5mTokens: 200,
    cacheWrite1hTokens: 100,
    outputTokens: 20,
    reasoningTokens: 30,
    searchUnits: 2,
  });
});

test("takes the last report of a count as cumulative and keeps what a later report leaves out or nulls", () => {
  const tally = new UsageTally();
  tally.absorb({ input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 });
  tally.absorb({ input_tokens: 14, cache_read_input_tokens: null, output_tokens: 9 });
  tally.absorb({ output_tokens: 12 });
  assert.deepEqual(tally.total(), { ...emptyUsage(), inputTokens: 14, cacheReadTokens: 5, outputTokens: 12 });
});

test("is doubtful from a count that is none on, until it is told anew", () => {
  const tally = new UsageTally();
  tally.absorb({ input_tokens: 10, output_tokens: 1, cache_creation: null, server_tool_use: null });
  assert.equal(tally.isDoubtful, false);
  tally.absorb({ output_tokens: -4 });
  tally.absorb({ output_tokens: null });
  assert.equal(tally.isDoubtful, true);
  tally.absorb({ output_tokens: 4 });
  assert.equal(tally.isDoubtful, false);
  for (const usage of [
    { input_tokens: 1.5 },
    { cache_creation_input_tokens: -1 },
    { cache_creation: { ephemeral_5m_input_tokens: "3" } },
    { cache_creation: { ephemeral_1h_input_tokens: -3 } },
    { server_tool_use: { web_search_requests: 0.5 } },
    { iterations: [{ type: "compaction", input_tokens: -1, output_tokens: 2 }] },
  ]) {
    const other = new UsageTally();
    other.absorb(usage);
    assert.equal(other.isDoubtful, true, JSON.stringify(usage));
  }
});

test("takes the sum of the cache-write split as the total where the provider gives only the split", () => {
  const tally = new UsageTally();
  tally.absorb({ input_tokens: 1, cache_creation: { ephemeral_1h_input_tokens: 40 } });
  assert.deepEqual(tally.total(), { ...emptyUsage(), inputTokens: 1, cacheWrite1hTokens: 40 });
});

test("adds up to the provider's own totals whatever the split and the thinking share say", () => {
  const count = fc.nat(1_000_000);
  const report = fc.record({
    input: count,
    read: count,
    write: count,
    w5: count,
    w1: count,
    output: count,
    thinking: count,
  });
  fc.assert(
    fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (reports) => {
      const tally = new UsageTally();
      for (const each of reports) {
        tally.absorb({
          input_tokens: each.input,
          cache_read_input_tokens: each.read,
          cache_creation_input_tokens: each.write,
          cache_creation: { ephemeral_5m_input_tokens: each.w5, ephemeral_1h_input_tokens: each.w1 },
          output_tokens: each.output,
          output_tokens_details: { thinking_tokens: each.thinking },
        });
      }
      const last = reports.at(-1)!;
      const usage = tally.total()!;
      assert.equal(totalInputTokens(usage), last.input + last.read + last.write);
      assert.equal(totalOutputTokens(usage), last.output);
      for (const bucket of Object.values(usage)) assert.ok(Number.isSafeInteger(bucket) && bucket >= 0);
    }),
  );
});

test("adds what compactions and advisors used, which the totals leave out, and not the turns that they add up", () => {
  const tally = new UsageTally();
  tally.absorb({ input_tokens: 100, output_tokens: 1 });
  const turn = { type: "message", input_tokens: 100, output_tokens: 20 };
  const compaction = { type: "compaction", input_tokens: 5_000, output_tokens: 300, cache_read_input_tokens: 7 };
  tally.absorb({ output_tokens: 10, iterations: [turn, compaction] });
  const advisor = { type: "advisor_message", input_tokens: 40, output_tokens: 2, cache_creation_input_tokens: 3 };
  tally.absorb({
    output_tokens: 20,
    iterations: [turn, compaction, advisor, { type: "of-tomorrow", input_tokens: 1 }],
  });
  assert.deepEqual(tally.total(), {
    ...emptyUsage(),
    inputTokens: 5_140,
    outputTokens: 322,
    cacheReadTokens: 7,
    cacheWrite5mTokens: 3,
  });
});
