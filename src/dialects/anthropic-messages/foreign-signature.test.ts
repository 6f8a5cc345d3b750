import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import type { OpaqueState } from "../canonical.ts";
import { decodeSignature, encodeSignature, isForeignSignature, mayHoldForeignSignature } from "./foreign-signature.ts";

const own: OpaqueState = { origin: "anthropic-messages", kind: "signature", value: "EqQBCgIYAhIM+/sig==" };
const foreign: OpaqueState = { origin: "openai-chat", kind: "reasoning_details", value: '{"data":"x","id":"rs_1"}' };

test("a signature of this dialect is told as it is", () => {
  assert.equal(encodeSignature([own]), own.value);
  assert.deepEqual(decodeSignature(own.value), [own]);
  assert.equal(isForeignSignature(own.value), false);
});

test("other state comes back as it was given, and is known as another's", () => {
  const state = fc.record(
    { origin: fc.string(), kind: fc.string(), value: fc.string({ unit: "grapheme" }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(state), (states) => {
      const signature = encodeSignature([foreign, ...states]);
      assert.deepEqual(decodeSignature(signature), [foreign, ...states]);
      assert.equal(isForeignSignature(signature), true);
    }),
  );
});

test("reasoning without any state has a signature that is nobody's", () => {
  assert.deepEqual(decodeSignature(encodeSignature([])), []);
  assert.equal(isForeignSignature(encodeSignature([])), true);
  assert.deepEqual(decodeSignature(""), []);
});

test("what only looks like ours is no state", () => {
  for (const forged of [
    "~headgate:",
    "~headgate:x",
    `~headgate:${Buffer.from('[1,{"origin":2}]').toString("base64url")}`,
  ])
    assert.deepEqual(decodeSignature(forged), []);
});

test("a body that holds one is found, however its JSON is written", () => {
  const signature = encodeSignature([foreign]);
  const block = { type: "thinking", thinking: "Hm.", signature };
  for (const indent of [0, 2]) {
    assert.equal(mayHoldForeignSignature(Buffer.from(JSON.stringify({ content: [block] }, null, indent))), true);
  }
  assert.equal(mayHoldForeignSignature(Buffer.from(JSON.stringify({ ...block, signature: own.value }))), false);
});
