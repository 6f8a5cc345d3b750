import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { nearest } from "./nearest.ts";

test("suggests the nearest word first and at most as many as asked for", () => {
  assert.deepEqual(nearest("prot", ["host", "port", "part", "keepAlive"], 2), ["port"]);
  assert.deepEqual(nearest("gpt-5-mimi", ["gpt-5", "gpt-5-mini", "gpt-5-mine"], 2), ["gpt-5-mini", "gpt-5-mine"]);
});

test("finds a model by the part of its name after the provider", () => {
  assert.deepEqual(nearest("gpt-5-mni", ["openai/gpt-5-mini", "anthropic/claude"], 3), ["openai/gpt-5-mini"]);
});

test("takes case for no difference and a swap of neighbours for one", () => {
  assert.deepEqual(nearest("OPENIA", ["openai", "open"], 1), ["openai"]);
});

test("suggests nothing when nothing is near, the word is empty or over-long", () => {
  assert.deepEqual(nearest("completely", ["port", "host"], 3), []);
  assert.deepEqual(nearest("", ["a"], 3), []);
  assert.deepEqual(nearest("x".repeat(65), ["x".repeat(65)], 3), []);
});

test("always suggests the word itself first when it is a candidate", () => {
  const word = fc.stringMatching(/^[a-z0-9-]{1,30}$/);
  fc.assert(
    fc.property(word, fc.array(word), (wanted, others) => {
      assert.equal(nearest(wanted, [...others, wanted], 1)[0], wanted);
    }),
  );
});
