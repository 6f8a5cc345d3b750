import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { encodeResponse } from "../inbound/response.ts";
import { decodeResponse } from "./response.ts";

function answer(message: object, finish_reason: unknown = "stop"): object {
  return {
    id: "c",
    model: "m",
    created: 2,
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
  };
}

const call = { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } };

describe("decodeResponse", () => {
  test("reads reasoning, text, refusal and tool calls, in this order", () => {
    const message = { content: "T", refusal: "No.", reasoning_content: "Hm", tool_calls: [call] };
    const response = decodeResponse(
      { ...answer(message, "tool_calls"), usage: { prompt_tokens: 1, completion_tokens: 2 } },
      {},
    );
    assert.deepEqual(response.items, [
      { type: "reasoning", text: "Hm", opaque: [] },
      {
        type: "message",
        role: "assistant",
        name: null,
        parts: [
          { type: "text", text: "T" },
          { type: "refusal", text: "No." },
        ],
      },
      { type: "tool-call", callId: "a", name: "f", arguments: '{"x":1}' },
    ]);
    assert.deepEqual(response.finish, { reason: "tool-calls", native: "tool_calls", stopSequence: null });
    assert.deepEqual([response.createdMs, response.usage?.outputTokens], [2000, 2]);
  });

  test("never reads an unknown or absent finish reason as stop", () => {
    assert.equal(decodeResponse(answer({ content: "x" }, "cosmic_ray"), {}).finish.reason, "other");
    assert.equal(decodeResponse(answer({ content: "x" }, null), {}).finish.reason, "other");
  });

  test("names a call without id, and reads an object for arguments", () => {
    const { items } = decodeResponse(answer({ tool_calls: [{ function: { name: "f", arguments: { x: 1 } } }] }), {});
    assert.deepEqual(items, [{ type: "tool-call", callId: "call_c_0", name: "f", arguments: '{"x":1}' }]);
  });

  test("refuses what is not one message", () => {
    const twice = { choices: [...(answer({}) as { choices: object[] }).choices, { message: {} }] };
    for (const json of [{}, { choices: [{}] }, twice, answer({ tool_calls: [{ function: {} }] })]) {
      assert.throws(
        () => decodeResponse(json, {}),
        (thrown) => thrown instanceof HeadgateError && thrown.code === "upstream_malformed",
      );
    }
  });

  test("is the inverse of encodeResponse", () => {
    const wire = {
      ...answer({ content: "T", refusal: null, reasoning_content: "Hm", tool_calls: [call] }, "tool_calls"),
      usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, prompt_tokens_details: { cached_tokens: 4 } },
    };
    const response = decodeResponse(wire, {});
    const encoded = JSON.parse(Buffer.from(encodeResponse(response, 0)).toString("utf8"));
    assert.deepEqual(decodeResponse(encoded, {}), { ...response, id: "chatcmpl-c" });
  });
});
