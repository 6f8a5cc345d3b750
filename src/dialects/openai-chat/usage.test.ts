import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";
import type { Quirks } from "../dialect.ts";
import { encodeUsage } from "./encode-usage.ts";
import { isDoubtful, readUsage } from "./usage.ts";

/** The buckets that are not zero. */
function read(wire: unknown, quirks: Quirks = {}): Partial<Usage> | null {
  const usage = readUsage(wire, quirks);
  return usage === null ? null : Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== 0));
}

function total(usage: Usage): number {
  return totalInputTokens(usage) + totalOutputTokens(usage);
}

describe("readUsage", () => {
  test("splits OpenAI's totals into disjoint buckets", () => {
    const wire = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 20, image_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 15 },
    };
    assert.deepEqual(read(wire), {
      inputTokens: 25,
      cacheReadTokens: 40,
      cacheWrite5mTokens: 10,
      audioInputTokens: 20,
      imageInputTokens: 5,
      outputTokens: 5,
      reasoningTokens: 30,
      audioOutputTokens: 15,
    });
  });

  test("reads DeepSeek's and Moonshot's own fields for cached tokens", () => {
    const counts = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };
    const expected = { inputTokens: 3, cacheReadTokens: 7, outputTokens: 2 };
    assert.deepEqual(read({ ...counts, prompt_cache_hit_tokens: 7, prompt_cache_miss_tokens: 3 }), expected);
    assert.deepEqual(read({ ...counts, cached_tokens: 7 }), expected);
  });

  test("adds reasoning that xAI counts beside its output, with or without the quirk", () => {
    const wire = {
      prompt_tokens: 2640,
      completion_tokens: 182,
      total_tokens: 3494,
      prompt_tokens_details: { text_tokens: 2640, audio_tokens: 0, image_tokens: 0, cached_tokens: 473 },
      completion_tokens_details: { reasoning_tokens: 672 },
      num_sources_used: 3,
    };
    const expected = {
      inputTokens: 2167,
      cacheReadTokens: 473,
      outputTokens: 182,
      reasoningTokens: 672,
      searchUnits: 3,
    };
    assert.deepEqual(read(wire), expected);
    assert.deepEqual(read(wire, { reasoningInsideOutput: false }), expected);
    const { total_tokens: _total, ...withoutTotal } = wire;
    assert.deepEqual(read(withoutTotal, { reasoningInsideOutput: false }), expected);
  });

  test("adds cached tokens that a provider counts beside its input", () => {
    const wire = { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 90 } };
    assert.deepEqual(read(wire, { cachedInsideInput: false }), {
      inputTokens: 5,
      cacheReadTokens: 90,
      outputTokens: 1,
    });
    assert.deepEqual(read({ ...wire, total_tokens: 96 }), { inputTokens: 5, cacheReadTokens: 90, outputTokens: 1 });
  });

  test("counts tokens that only the total knows of as reasoning", () => {
    const wire = { prompt_tokens: 4, completion_tokens: 36, total_tokens: 1054 };
    assert.deepEqual(read(wire), { inputTokens: 4, outputTokens: 36, reasoningTokens: 1014 });
  });

  test("takes what the total leaves for the side that has no count", () => {
    assert.deepEqual(read({ total_tokens: 12 }), { inputTokens: 12 });
    assert.deepEqual(read({ completion_tokens: 2, total_tokens: 12 }), { inputTokens: 10, outputTokens: 2 });
    assert.deepEqual(read({ prompt_tokens: 10, total_tokens: 12 }), { inputTokens: 10, outputTokens: 2 });
  });

  test("tells zero from absent", () => {
    assert.deepEqual(read({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }), {});
    assert.equal(read({}), null);
    assert.equal(read(null), null);
    assert.equal(read({ prompt_tokens: "12", completion_tokens: -1 }), null);
  });

  test("adds up to the provider's total, and never goes below zero, whatever the details say", () => {
    const count = fc.nat(1000);
    const wire = fc.record({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: fc.record(
        { cached_tokens: count, cache_write_tokens: count, audio_tokens: count, image_tokens: count },
        { requiredKeys: [] },
      ),
      completion_tokens_details: fc.record({ reasoning_tokens: count, audio_tokens: count }, { requiredKeys: [] }),
    });
    fc.assert(
      fc.property(wire, fc.nat(500), (counts, more) => {
        const total_tokens = counts.prompt_tokens + counts.completion_tokens + more;
        const usage = readUsage({ ...counts, total_tokens }, {});
        assert.ok(usage !== null);
        assert.equal(total(usage), total_tokens);
        for (const value of Object.values(usage)) assert.ok(value >= 0);
      }),
    );
  });

  test("is doubtful where a count is negative, a fraction or a text, wherever it stands, and nowhere else", () => {
    const sound = { prompt_tokens: 1, completion_tokens: 0, total_tokens: null, prompt_audio_seconds: 1.5, cost: 0.5 };
    assert.equal(isDoubtful(sound), false);
    assert.equal(isDoubtful(null), false);
    for (const wrong of [-1, 1.5, "7", {}, 2 ** 60]) {
      assert.ok(isDoubtful({ ...sound, prompt_tokens: wrong }));
      assert.ok(isDoubtful({ ...sound, total_tokens: wrong }));
      assert.ok(isDoubtful({ ...sound, prompt_tokens_details: { cached_tokens: wrong } }));
      assert.ok(isDoubtful({ ...sound, completion_tokens_details: { reasoning_tokens: wrong } }));
      assert.ok(isDoubtful({ ...sound, num_sources_used: wrong }));
    }
  });

  test("reads back what encodeUsage tells a caller", () => {
    const usage = readUsage(
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 4 },
      },
      {},
    );
    assert.ok(usage !== null);
    assert.deepEqual(readUsage(encodeUsage(usage), {}), usage);
  });
});
