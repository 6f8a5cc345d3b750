import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import type { EncodedRequest, RequestView, TargetFacts } from "../dialect.ts";
import { encodeSignature } from "./foreign-signature.ts";
import { spliceRequest } from "./splice.ts";

function splice(body: string, more: Partial<TargetFacts> = {}): EncodedRequest {
  const document = parseJsonDocument(Buffer.from(body), { depth: 32 });
  const target = { model: "claude-opus-4-8", maxOutputTokens: null, quirks: {}, ...more };
  return spliceRequest({ document } as RequestView, target);
}

function textOf({ body }: EncodedRequest): string {
  return Buffer.from(body).toString("utf8");
}

describe("spliceRequest", () => {
  test("passes a request through byte for byte except for the model", () => {
    const body = '{ "model":"alias" , "max_tokens": 1.0, "future":{"a" : [1e2,"\\u00fc"]}, "messages":[]}';
    const spliced = splice(body);
    assert.equal(textOf(spliced), body.replace('"alias"', '"claude-opus-4-8"'));
    assert.deepEqual(spliced.losses, []);
  });

  test("puts a lower bound on output in the place of the caller's", () => {
    const spliced = splice('{"model":"a","max_tokens":900,"messages":[]}', { outputBound: 70 });
    assert.equal(textOf(spliced), '{"model":"claude-opus-4-8","max_tokens":70,"messages":[]}');
  });

  test("leaves out what another dialect's provider thought, and says so", () => {
    const foreign = encodeSignature([{ origin: "openai-chat", kind: "reasoning_details", value: "{}" }]);
    const thinking = (signature: string) => `{"type":"thinking","thinking":"Hm.","signature":"${signature}"}`;
    const call = '{"type":"tool_use","id":"t","name":"f","input":{"id":12345678901234567890}}';
    const asked = '{"role":"user","content":"?"}';
    const spliced = splice(
      `{"model":"a","messages":[${asked},{"role":"assistant","content":[${thinking(foreign)},${call}]},` +
        `{"role":"assistant","content":[${thinking(foreign)}]},{"role":"assistant","content":[${thinking("own")}]}]}`,
    );
    assert.equal(
      textOf(spliced),
      `{"model":"claude-opus-4-8","messages":[${asked},{"role":"assistant","content":[${call}]},` +
        `{"role":"assistant","content":[${thinking("own")}]}]}`,
    );
    assert.deepEqual(spliced.losses, ["reasoning"]);
  });

  test("leaves alone a text that only speaks of such a signature", () => {
    const body = `{"model":"claude-opus-4-8","messages":[{"role":"user","content":"~headgate:"}]}`;
    assert.equal(textOf(splice(body)), body);
  });
});
