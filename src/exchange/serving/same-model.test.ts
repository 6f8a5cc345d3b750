import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameModel } from "./same-model.ts";

test("a model is the same with a date, a variant, its words in another order, or without its vendor", () => {
  for (const [one, other] of [
    ["openai/gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18"],
    ["claude-opus-4-5", "claude-opus-4-5-20251101"],
    ["claude-opus-4-5@20251101", "claude-opus-4-5"],
    ["openai/gpt-4o-mini:nitro", "openai/gpt-4o-mini"],
    ["anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"],
    ["openai/gpt-4o", "gpt-4o-2024-08-06"],
    ["OpenAI/GPT-4o", "openai/gpt-4o"],
  ] as const) {
    assert.ok(isSameModel(one, other), `${one} ${other}`);
    assert.ok(isSameModel(other, one), `${other} ${one}`);
  }
});

test("a model is another with another word, size or version", () => {
  for (const [one, other] of [
    ["openai/gpt-4o", "openai/gpt-4o-mini"],
    ["openai/o1", "openai/o1-pro"],
    ["openai/gpt-4o", "azure/gpt-4o"],
    ["claude-opus-4-5", "claude-opus-4-6"],
    ["anthropic/claude-opus-4.5", "anthropic/claude-sonnet-4.5"],
    ["o1-pro", "openai/o1"],
  ] as const) {
    assert.ok(!isSameModel(one, other), `${one} ${other}`);
    assert.ok(!isSameModel(other, one), `${other} ${one}`);
  }
});
