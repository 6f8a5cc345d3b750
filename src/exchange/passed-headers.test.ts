import assert from "node:assert/strict";
import { test } from "node:test";
import { findDialect } from "../dialects/registry.ts";
import { passedHeaders, withPassedHeaders } from "./passed-headers.ts";

const headers = { "anthropic-beta": "a-2026-01-01", "anthropic-version": "2023-06-01", "x-api-key": "secret" };

test("of a caller's headers only those of its dialect are passed on", () => {
  const incoming = { headers };
  const passed = passedHeaders({ dialect: findDialect("anthropic-messages"), incoming });
  assert.deepEqual(passed, ["anthropic-beta", "a-2026-01-01"]);
  assert.deepEqual(passedHeaders({ dialect: findDialect("openai-chat"), incoming }), []);
});

test("a header that came several times is one list, and an empty one is none", () => {
  const dialect = findDialect("anthropic-messages");
  const twice = { headers: { "anthropic-beta": ["a", "b"] } };
  assert.deepEqual(passedHeaders({ dialect, incoming: twice }), ["anthropic-beta", "a,b"]);
  assert.deepEqual(passedHeaders({ dialect, incoming: { headers: { "anthropic-beta": "" } } }), []);
});

test("what the operator has set for the provider stays, and the caller's is added to it", () => {
  const own = ["content-type", "application/json", "anthropic-beta", "o"];
  assert.deepEqual(withPassedHeaders(own, ["anthropic-beta", "a,b"]), [...own.slice(0, 3), "o,a,b"]);
  assert.deepEqual(withPassedHeaders(["a", "anthropic-beta"], ["anthropic-beta", "b"]), [
    "a",
    "anthropic-beta",
    "anthropic-beta",
    "b",
  ]);
  assert.equal(withPassedHeaders(own, []), own);
});
