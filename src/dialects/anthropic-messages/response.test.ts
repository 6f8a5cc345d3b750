import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../kernel/errors.ts";
import { emptyUsage } from "../../kernel/usage.ts";
import type { FinishReason } from "../canonical.ts";
import { parseExactJson } from "../exact-json.ts";
import { decodeResponse, readResponse } from "./response.ts";

function message(content: readonly unknown[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-opus-4-8",
    content,
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 0 },
    ...more,
  };
}

test("decodes thinking, text and tool calls in the order the model made them", () => {
  const answer = decodeResponse(
    message(
      [
        { type: "thinking", thinking: "Hm.", signature: "c2ln" },
        { type: "redacted_thinking", data: "EmwK" },
        { type: "text", text: "Grüße 🌍", citations: null },
        { type: "tool_use", id: "toolu_A", name: "get_weather", input: { city: "Köln" } },
        { type: "tool_use", id: "toolu_B", name: "get_time", input: {} },
      ],
      { stop_reason: "tool_use" },
    ),
  );
  assert.deepEqual(answer, {
    id: "msg_01",
    model: "claude-opus-4-8",
    createdMs: null,
    items: [
      { type: "reasoning", text: "Hm.", opaque: [{ origin: "anthropic-messages", kind: "signature", value: "c2ln" }] },
      {
        type: "reasoning",
        text: "",
        opaque: [{ origin: "anthropic-messages", kind: "redacted_thinking", value: "EmwK" }],
      },
      { type: "message", role: "assistant", name: null, parts: [{ type: "text", text: "Grüße 🌍" }] },
      { type: "tool-call", callId: "toolu_A", name: "get_weather", arguments: '{"city":"Köln"}' },
      { type: "tool-call", callId: "toolu_B", name: "get_time", arguments: "{}" },
    ],
    finish: { reason: "tool-calls", native: "tool_use", stopSequence: null },
    usage: { ...emptyUsage(), inputTokens: 3 },
  });
});

test("maps every stop reason, and a new one to other instead of success", () => {
  const table: [string, FinishReason][] = [
    ["end_turn", "stop"],
    ["max_tokens", "length"],
    ["stop_sequence", "stop-sequence"],
    ["tool_use", "tool-calls"],
    ["pause_turn", "pause"],
    ["refusal", "refusal"],
    ["model_context_window_exceeded", "context-length"],
    ["reason_of_tomorrow", "other"],
  ];
  for (const [native, reason] of table) {
    const json = message([], { stop_reason: native, stop_sequence: native === "stop_sequence" ? "END" : null });
    assert.equal(readResponse(json).finish, reason);
    assert.deepEqual(decodeResponse(json).finish, {
      reason,
      native,
      stopSequence: native === "stop_sequence" ? "END" : null,
    });
  }
});

test("carries the provider's explanation of a refusal as a refusal, not as text", () => {
  const details = { type: "refusal", category: "cyber", explanation: "It could enable harm." };
  const answer = decodeResponse(message([], { stop_reason: "refusal", stop_details: details }));
  assert.deepEqual(answer.items, [
    { type: "message", role: "assistant", name: null, parts: [{ type: "refusal", text: "It could enable harm." }] },
  ]);
});

test("leaves out server tools and unknown blocks, never showing them as text", () => {
  const answer = decodeResponse(
    message([
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "q" } },
      { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
      { type: "future_block", text: "never shown" },
      { type: "text", text: "Seen." },
    ]),
  );
  assert.deepEqual(
    answer.items.map((item) => (item.type === "message" ? item.parts : item.type)),
    [[{ type: "text", text: "Seen." }]],
  );
});

test("reads what accounting needs without opaque state in the byte count", () => {
  const reading = readResponse(
    message([
      { type: "thinking", thinking: "Hm", signature: "a long signature that nobody is billed for" },
      { type: "text", text: "ü" },
      { type: "tool_use", id: "t", name: "n", input: { a: 1 } },
    ]),
  );
  assert.deepEqual(reading, {
    id: "msg_01",
    model: "claude-opus-4-8",
    usage: { ...emptyUsage(), inputTokens: 3 },
    usageIsDoubtful: false,
    serviceTier: null,
    finish: "stop",
    outputBytes: 2 + 2 + 7,
  });
});

test("keeps the digits of tool arguments in an answer that was read exactly", () => {
  const body = message([{ type: "tool_use", id: "t", name: "n", input: { id: "ID" } }]);
  const text = JSON.stringify(body).replace('"ID"', "12345678901234567890");
  const [item] = decodeResponse(parseExactJson(text)).items;
  assert.equal(item?.type === "tool-call" && item.arguments, '{"id":12345678901234567890}');
});

test("refuses what is not a finished message", () => {
  const bad = [
    null,
    [],
    "x",
    {},
    { type: "error" },
    message([]).content,
    message([1]),
    message([], { stop_reason: null }),
    message([], { type: "completion" }),
    message([], { content: "text" }),
  ];
  for (const json of bad) {
    for (const read of [readResponse, decodeResponse]) {
      assert.throws(
        () => read(json),
        (thrown) => thrown instanceof HeadgateError && thrown.code === "upstream_malformed",
      );
    }
  }
});
