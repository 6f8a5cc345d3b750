import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig, defaultProvider } from "../config/defaults.ts";
import { createMissingSecret, createSecret } from "../config/secret.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { findProviderSpec } from "./catalogue.ts";
import { createEndpoint, type Endpoint } from "./endpoint.ts";

const credential = (name: string) => ({ name, key: createSecret(`sk-${name}`, "test") });

function endpoint(kind: string, given: Parameters<typeof defaultProvider>[1] = {}): Endpoint {
  const spec = findProviderSpec(kind);
  assert.ok(spec);
  return createEndpoint(kind, spec, defaultProvider(kind, given), defaultConfig().timeouts, "headgate/test");
}

const valueOf = (headers: readonly string[], name: string): readonly string[] =>
  headers.flatMap((each, index) => (index % 2 === 0 && each.toLowerCase() === name ? [headers[index + 1] ?? ""] : []));

test("credentials are taken in turn, and found again by their name", () => {
  const openai = endpoint("openai", { credentials: [credential("a"), credential("b")] });
  assert.deepEqual(
    [1, 2, 3].map(() => openai.nextCredential().name),
    ["a", "b", "a"],
  );
  assert.equal(openai.credential("b").name, "b");
  assert.ok(["a", "b"].includes(openai.credential("gone").name));
});

test("each provider gets its key as it wants it", () => {
  const key = { credentials: [credential("k")] };
  assert.deepEqual(valueOf(endpoint("openai", key).nextCredential().headers, "authorization"), ["Bearer sk-k"]);
  assert.deepEqual(valueOf(endpoint("anthropic", key).nextCredential().headers, "x-api-key"), ["sk-k"]);
});

test("a key that is missing is missed where it would be sent", () => {
  const key = createMissingSecret("env:GONE", "it is not set.");
  const { nextCredential } = endpoint("openai", { credentials: [{ name: "main", key }] });
  assert.equal(nextCredential().name, "main");
  const expected = {
    code: "upstream_credentials",
    message: "The secret env:GONE is needed and not there: it is not set.",
  };
  assert.throws(() => nextCredential().headers, expected);
});

test("an operator's header replaces the catalogue's, however it is written", () => {
  const { headers } = endpoint("anthropic", { headers: { "Anthropic-Version": "2099-01-01" } }).nextCredential();
  assert.deepEqual(valueOf(headers, "anthropic-version"), ["2099-01-01"]);
});

test("the provider's timeouts lie over the gateway's", () => {
  const { timeouts } = endpoint("openai", { timeouts: { idleMs: 7 } });
  assert.equal(timeouts.idleMs, 7);
  assert.equal(timeouts.connectMs, defaultConfig().timeouts.connectMs);
});

test("an address that is missing or would lose its query is refused by its path in the configuration", () => {
  const refused = (kind: string, baseUrl: string | null) => () => endpoint(kind, { baseUrl });
  const names = (error: unknown): boolean =>
    error instanceof HeadgateError &&
    error.code === "invalid_argument" &&
    /providers\.[\w-]+\.baseUrl/.test(error.message);
  assert.throws(refused("openai-compatible", null), names);
  assert.throws(refused("openai-compatible", "http://127.0.0.1:1/v1?key=x"), names);
});
