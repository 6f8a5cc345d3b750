import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../kernel/errors.ts";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import type { RequestView } from "../dialect.ts";
import { openaiEmbeddings } from "./openai-embeddings.ts";

const { inbound, outbound } = openaiEmbeddings;

function view(body: object): RequestView {
  return inbound!.view(parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 8 }));
}

describe("openai-embeddings", () => {
  test("accepts every form of input", () => {
    for (const input of ["text", ["a", "b"], [1, 2, 3], [[1, 2], [3]]]) {
      const read = view({ model: "e", input, encoding_format: "base64", dimensions: 256, user: "u" });
      assert.deepEqual([read.model, read.stream, read.choices, read.endUser], ["e", false, 1, "u"]);
    }
  });

  test("refuses wrong fields by name", () => {
    const wrong: readonly (readonly [object, string, string])[] = [
      [{ input: "x" }, "missing_field", "model"],
      [{ model: "e" }, "missing_field", "input"],
      [{ model: "e", input: "" }, "invalid_value", "input"],
      [{ model: "e", input: [] }, "invalid_value", "input"],
      [{ model: "e", input: { text: "x" } }, "invalid_value", "input"],
      [{ model: "e", input: ["a", 1] }, "invalid_value", "input[1]"],
      [{ model: "e", input: ["a", ""] }, "invalid_value", "input[1]"],
      [{ model: "e", input: [[1], []] }, "invalid_value", "input[1]"],
      [{ model: "e", input: [1.5] }, "invalid_value", "input[0]"],
      [{ model: "e", input: "x", encoding_format: "hex" }, "invalid_value", "encoding_format"],
      [{ model: "e", input: "x", dimensions: 0 }, "invalid_value", "dimensions"],
      [{ model: "e", input: "x", user: "u".repeat(513) }, "invalid_value", "user"],
    ];
    for (const [body, code, param] of wrong) {
      assert.throws(
        () => view(body),
        (thrown) => thrown instanceof HeadgateError && thrown.code === code && thrown.param === param,
        JSON.stringify(body),
      );
    }
  });

  test("passes the caller's bytes on with the model's name changed", () => {
    const read = view({ model: "e", input: "x", extra: [1] });
    const target = { model: "real", maxOutputTokens: null, quirks: {} };
    const spliced = Buffer.from(outbound!.splice(read, target).body).toString("utf8");
    assert.equal(spliced, '{"model":"real","input":"x","extra":[1]}');
    assert.equal(outbound!.splice(read, { ...target, model: "e" }).body, read.document.bytes);
  });

  test("reads usage, from the total where it is all there is", () => {
    const data = [{ object: "embedding", index: 0, embedding: [0.1] }];
    const usage = (counts: object): number | undefined =>
      outbound!.readResponse({ model: "real", data, usage: counts }, {}).usage?.inputTokens;
    assert.equal(usage({ prompt_tokens: 5, total_tokens: 5 }), 5);
    assert.equal(usage({ total_tokens: 7 }), 7);
    assert.equal(usage({ prompt_tokens: 6 }), 6);
    assert.equal(outbound!.readResponse({ data }, {}).usage, null);
  });

  test("refuses an answer without data", () => {
    for (const json of [null, {}, { data: {} }]) {
      assert.throws(
        () => outbound!.readResponse(json, {}),
        (thrown) => thrown instanceof HeadgateError && thrown.code === "upstream_malformed",
      );
    }
  });
});
