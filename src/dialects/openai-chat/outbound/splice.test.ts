import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { Quirks } from "../../dialect.ts";
import { viewRequest } from "../inbound/view.ts";
import { spliceRequest } from "./splice.ts";

function splice(text: string, quirks: Quirks = {}, model = "real"): string {
  const view = viewRequest(parseJsonDocument(Buffer.from(text), { depth: 16 }));
  return Buffer.from(spliceRequest(view, { model, maxOutputTokens: null, quirks }).body).toString("utf8");
}

const messages = '"messages":[{"role":"user","content":"h\\u00ef"}]';

describe("spliceRequest", () => {
  test("changes the model's name and no other byte", () => {
    assert.equal(
      splice(`{ "model" : "alias", ${messages}, "x-new":[ 1.0 ] }`),
      `{ "model" : "real", ${messages}, "x-new":[ 1.0 ] }`,
    );
  });

  test("gives the caller's own bytes where nothing changes", () => {
    const document = parseJsonDocument(Buffer.from(`{"model":"real",${messages}}`), { depth: 16 });
    const target = { model: "real", maxOutputTokens: null, quirks: {} };
    assert.equal(spliceRequest(viewRequest(document), target).body, document.bytes);
  });

  test("asks for usage in a stream whose caller did not, keeping other stream options", () => {
    const begin = `{"model":"real",${messages},"stream":true`;
    assert.equal(splice(`${begin}}`), `${begin},"stream_options":{"include_usage":true}}`);
    assert.equal(
      splice(`${begin},"stream_options":{"include_obfuscation":false,"include_usage":false}}`),
      `${begin},"stream_options":{"include_obfuscation":false,"include_usage":true}}`,
    );
    assert.equal(splice(`${begin},"stream_options":null}`), `${begin},"stream_options":{"include_usage":true}}`);
  });

  test("takes stream options out for a provider that refuses them", () => {
    const asked = `{"model":"real","stream":true,"stream_options":{"include_usage":true},${messages}}`;
    for (const streamUsage of ["always", "never"] as const) {
      assert.equal(splice(asked, { streamUsage }), `{"model":"real","stream":true,${messages}}`);
    }
  });

  test("leaves stream options alone where the caller asked, the provider needs no asking, or nothing is streamed", () => {
    const asked = `{"model":"real",${messages},"stream":true,"stream_options":{ "include_usage":true}}`;
    assert.equal(splice(asked), asked);
    const plain = `{"model":"real",${messages},"stream":true}`;
    assert.equal(splice(plain, { streamUsage: "always" }), plain);
    assert.equal(splice(plain, { streamUsage: "never" }), plain);
    const whole = `{"model":"real",${messages}}`;
    assert.equal(splice(whole), whole);
  });
});
