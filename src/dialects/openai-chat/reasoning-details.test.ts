import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OpaqueState } from "../canonical.ts";
import { decodeDetails, encodeDetail } from "./reasoning-details.ts";

const signature: OpaqueState = { origin: "anthropic-messages", kind: "signature", value: "sig==" };
const redacted: OpaqueState = { origin: "anthropic-messages", kind: "redacted_thinking", value: "opaque==" };
const other: OpaqueState = { origin: "gemini", kind: "thought/signature", value: "g" };

describe("reasoning_details", () => {
  test("bring state back to where it came from, with the text a signature signs", () => {
    const details = [encodeDetail(signature, "Hm.", 0), encodeDetail(redacted, "", 1), encodeDetail(other, "", 2)];
    assert.deepEqual(decodeDetails(JSON.parse(JSON.stringify(details))), [
      { type: "reasoning", text: "Hm.", opaque: [signature] },
      { type: "reasoning", text: "", opaque: [redacted] },
      { type: "reasoning", text: "", opaque: [other] },
    ]);
  });

  test("are OpenRouter's for Anthropic's blocks", () => {
    assert.deepEqual(encodeDetail(signature, "Hm.", 3), {
      type: "reasoning.text",
      text: "Hm.",
      signature: "sig==",
      format: "anthropic-claude-v1",
      index: 3,
    });
  });

  test("are put together from the pieces that a caller collected from a stream", () => {
    const pieces = [
      { type: "reasoning.text", text: "One ", format: "anthropic-claude-v1", index: 0 },
      { type: "reasoning.text", text: "two", format: "anthropic-claude-v1", index: 0 },
      { type: "reasoning.text", signature: "s", format: "anthropic-claude-v1", index: 0 },
      { type: "reasoning.text", text: "next", signature: "t", format: "anthropic-claude-v1", index: 1 },
    ];
    assert.deepEqual(decodeDetails(pieces), [
      { type: "reasoning", text: "One two", opaque: [{ ...signature, value: "s" }] },
      { type: "reasoning", text: "next", opaque: [{ ...signature, value: "t" }] },
    ]);
  });

  test("of a format unknown to us belong to nobody we know", () => {
    const [item] = decodeDetails([{ type: "reasoning.encrypted", data: "x", format: "openai-responses-v1" }]) ?? [];
    assert.deepEqual(item?.opaque, [{ origin: "openai-responses-v1", kind: "encrypted", value: "x" }]);
    const [bare] = decodeDetails([{ type: "reasoning.text", text: "t", signature: "x" }]) ?? [];
    assert.equal(bare?.opaque[0]?.origin, "unknown");
  });

  test("must be an array of objects", () => {
    assert.equal(decodeDetails("text"), null);
    assert.equal(decodeDetails([1]), null);
  });
});
