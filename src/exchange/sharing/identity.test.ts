import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import { CanonicalBody } from "./canonical-body.ts";
import { type CacheIdentity, cacheKeyOf, fingerprintOf, hashOfKey } from "./identity.ts";

function parse(text: string): CanonicalBody {
  return new CanonicalBody(parseJsonDocument(Buffer.from(text), { depth: 100 }));
}

function fingerprint(text: string): string {
  return fingerprintOf("POST", "/v1/chat/completions", parse(text));
}

/** The same value with its names in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, shuffled(member)]),
  );
}

const payer = { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" };
const identity = {
  version: "1",
  tags: [],
  payer,
  path: "/v1/chat/completions",
  targets: ["own/m"],
  body: parse('{"model":"fast"}'),
};

describe("the fingerprint of a request", () => {
  test("does not depend on the order of names, on white space or on how numbers and texts are written", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, (body) => {
        const again = JSON.stringify(shuffled(JSON.parse(JSON.stringify(body))), null, 2);
        assert.equal(fingerprint(again), fingerprint(JSON.stringify(body)));
      }),
    );
    assert.equal(fingerprint('{"a":1.0,"b":"\\u0041"}'), fingerprint('{"b":"A","a":1}'));
  });

  test("depends on every value, on the order of lists, and on every digit", () => {
    const different = [
      '{"a":[1,2]}',
      '{"a":[2,1]}',
      '{"a":["1",2]}',
      '{"a":9007199254740993}',
      '{"a":9007199254740992}',
      '{"a":0.1000000000000000055}',
      '{"a":0.1}',
      '{"a":null}',
      "{}",
      '{"__proto__":1}',
      '{"a":{"__proto__":{"b":1}}}',
      '{"a":{}}',
    ];
    assert.equal(new Set(different.map(fingerprint)).size, different.length);
  });

  test("depends on method and path", () => {
    const body = parse("{}");
    const all = [fingerprintOf("POST", "/a", body), fingerprintOf("POST", "/b", body)];
    assert.notEqual(...(all as [string, string]));
    assert.notEqual(fingerprintOf("PUT", "/a", body), all[0]);
  });
});

test("an Idempotency-Key is another one for another tenant", () => {
  assert.notEqual(hashOfKey("ten_1", "k"), hashOfKey("ten_2", "k"));
  assert.notEqual(hashOfKey("ten_1", "1k"), hashOfKey("ten_11", "k"));
  assert.equal(hashOfKey("ten_1", "k"), hashOfKey("ten_1", "k"));
});

describe("the key of a cached answer", () => {
  test("is the same for all keys and end users of a project", () => {
    const body = parse('{"user":"ann","model":"fast","safety_identifier":"x","prompt_cache_key":"y"}');
    assert.equal(cacheKeyOf({ ...identity, payer: { ...payer, keyId: "key_2" }, body }), cacheKeyOf(identity));
    const messages = parse('{"model":"fast","metadata":{"user_id":"ann"}}');
    assert.equal(cacheKeyOf({ ...identity, body: messages }), cacheKeyOf(identity));
    const more = parse('{"model":"fast","metadata":{"user_id":"ann","team":"a"}}');
    assert.notEqual(cacheKeyOf({ ...identity, body: more }), cacheKeyOf(identity));
  });

  test("is the same for every form of an answer", () => {
    const forms = ['{"model":"fast","stream":true}', '{"stream":false,"stream_options":null,"model":"fast"}'];
    for (const form of [...forms, '{"model":"fast","stream":true,"stream_options":{"include_usage":true}}']) {
      assert.equal(cacheKeyOf({ ...identity, body: parse(form) }), cacheKeyOf(identity), form);
    }
  });

  test("does not depend on the order of tags, or on one that is required twice", () => {
    const required = { ...identity, tags: ["a", "b"] };
    assert.equal(cacheKeyOf({ ...identity, tags: ["b", "a", "b"] }), cacheKeyOf(required));
  });

  test("is another one for another version, tenant, project, path, set of targets or tags, or body", () => {
    const others: readonly CacheIdentity[] = [
      { ...identity, version: "2" },
      { ...identity, tags: ["own/m"], targets: [] },
      { ...identity, tags: ["eu"] },
      { ...identity, payer: { ...payer, tenantId: "ten_2" } },
      { ...identity, payer: { ...payer, projectId: "prj_2" } },
      { ...identity, path: "/v1/embeddings" },
      { ...identity, targets: ["own/m2"] },
      { ...identity, targets: ["own/m", "own/m2"] },
      { ...identity, body: parse('{"model":"fast","seed":1}') },
      { ...identity, body: parse('{"model":"fast","stream_options":{"include_obfuscation":false}}') },
    ];
    assert.equal(new Set([identity, ...others].map(cacheKeyOf)).size, others.length + 1);
  });
});
