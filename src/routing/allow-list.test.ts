import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { isModelAllowed } from "./allow-list.ts";

test("no list admits everything, an empty list nothing", () => {
  assert.equal(isModelAllowed(null, "gpt-5", []), true);
  assert.equal(isModelAllowed([], "gpt-5", ["openai/gpt-5"]), false);
});

test("the name asked for may match by itself", () => {
  assert.equal(isModelAllowed(["fast"], "fast", ["openai/gpt-5-mini"]), true);
  assert.equal(isModelAllowed(["fast"], "faster", ["openai/gpt-5-mini"]), false);
});

test("otherwise every target must be covered, so a fallback cannot leave the list", () => {
  assert.equal(isModelAllowed(["openai/*"], "fast", ["openai/gpt-5", "openai/gpt-5-mini"]), true);
  assert.equal(isModelAllowed(["openai/*"], "fast", ["openai/gpt-5", "anthropic/claude-opus-5"]), false);
  assert.equal(isModelAllowed(["openai/*", "anthropic/*"], "fast", ["openai/gpt-5", "anthropic/x"]), true);
  assert.equal(isModelAllowed(["openai/*"], "fast", []), false);
});

test("a star stands for any run of characters, everything else for itself", () => {
  const matches = (pattern: string, name: string) => isModelAllowed([pattern], name, []);
  assert.equal(matches("*", ""), true);
  assert.equal(matches("gpt-*-mini", "gpt-5-mini"), true);
  assert.equal(matches("gpt-*-mini", "gpt--mini"), true);
  assert.equal(matches("gpt-*-mini", "gpt-mini"), false);
  assert.equal(matches("*llama*", "openrouter/meta/llama-4"), true);
  assert.equal(matches("gpt.5", "gpt-5"), false);
  assert.equal(matches("gpt-5", "GPT-5"), false);
  assert.equal(matches("a*b*b", "ab"), false);
});

test("matching agrees with the regular expression of the pattern", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "/", "*") });
  fc.assert(
    fc.property(letters, letters, (pattern, name) => {
      const expected = new RegExp(`^${pattern.replaceAll("*", "[^]*")}$`).test(name);
      return isModelAllowed([pattern], name, []) === expected;
    }),
  );
});
