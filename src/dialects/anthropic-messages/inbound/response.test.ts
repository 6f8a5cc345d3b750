import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { emptyUsage } from "../../../kernel/usage.ts";
import type { CanonicalResponse, Item, OpaqueState } from "../../canonical.ts";
import { encodeSignature } from "../foreign-signature.ts";
import { decodeResponse } from "../response.ts";
import { shortenToolName } from "../tool-name.ts";
import { encodeResponse } from "./response.ts";
import { viewRequest } from "./view.ts";

const signature: OpaqueState = { origin: "anthropic-messages", kind: "signature", value: "sig" };
const redacted: OpaqueState = { origin: "anthropic-messages", kind: "redacted_thinking", value: "dark" };
const usage = {
  ...emptyUsage(),
  inputTokens: 3,
  audioInputTokens: 1,
  cacheReadTokens: 40,
  cacheWrite5mTokens: 500,
  cacheWrite1hTokens: 6_000,
  outputTokens: 7,
  reasoningTokens: 8,
};

const longName = `mcp__plugin_browser__${"look_at_".repeat(8)}`;
const request = {
  model: "m",
  max_tokens: 9,
  messages: [{ role: "user", content: "?" }],
  tools: [{ name: longName, input_schema: {} }],
};
const view = viewRequest(parseJsonDocument(Buffer.from(JSON.stringify(request)), { depth: 16 }));

function text(said: string): Item {
  return { type: "message", role: "assistant", name: null, parts: [{ type: "text", text: said }] };
}

function call(args: string): Item {
  return { type: "tool-call", callId: "toolu_1", name: "f", arguments: args };
}

function answer(items: readonly Item[], more: Partial<CanonicalResponse> = {}): CanonicalResponse {
  const finish = { reason: "stop", native: "stop", stopSequence: null } as const;
  return { id: "chatcmpl-1", model: "gpt", createdMs: null, items, finish, usage: null, ...more };
}

function encode(items: readonly Item[], more: Partial<CanonicalResponse> = {}) {
  return JSON.parse(Buffer.from(encodeResponse(answer(items, more), view)).toString("utf8"));
}

describe("encodeResponse", () => {
  test("writes a message as the API does", () => {
    assert.deepEqual(encode([text("Sure.")], { usage }), {
      id: "msg_chatcmpl-1",
      type: "message",
      role: "assistant",
      model: "gpt",
      content: [{ type: "text", text: "Sure." }],
      stop_reason: "end_turn",
      stop_sequence: null,
      stop_details: null,
      usage: {
        input_tokens: 4,
        cache_creation_input_tokens: 6_500,
        cache_read_input_tokens: 40,
        cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 6_000 },
        output_tokens: 15,
        output_tokens_details: { thinking_tokens: 8 },
      },
    });
  });

  test("has the gateway's counts where the provider gave none, because its callers read them unasked", () => {
    const count = { countUsage: () => ({ ...emptyUsage(), inputTokens: 12, outputTokens: 3 }) };
    const told = (given: CanonicalResponse["usage"]) =>
      JSON.parse(Buffer.from(encodeResponse(answer([text("x")], { usage: given }), view, count)).toString()).usage;
    assert.deepEqual([told(null).input_tokens, told(null).output_tokens], [12, 3]);
    assert.equal(told(usage).input_tokens, 4);
    assert.deepEqual(encode([text("x")]).usage, { input_tokens: 0, output_tokens: 0 }, "nobody counts");
  });

  test("is read back by this dialect's decoder as the same answer", () => {
    const items: readonly Item[] = [
      { type: "reasoning", text: "Hm.", opaque: [signature] },
      { type: "reasoning", text: "", opaque: [redacted] },
      text("Sure."),
      call('{"id":12345678901234567890}'),
    ];
    const finish = { reason: "tool-calls", native: "tool_use", stopSequence: null } as const;
    const response = answer(items, { id: "msg_1", finish, usage: { ...usage, inputTokens: 4, audioInputTokens: 0 } });
    const bytes = Buffer.from(encodeResponse(response, view)).toString("utf8");
    assert.ok(bytes.includes('{"id":12345678901234567890}'), "the arguments keep their digits");
    const decoded = decodeResponse(JSON.parse(bytes.replace("12345678901234567890", "1")));
    assert.deepEqual(decoded, { ...response, items: [...items.slice(0, 3), call('{"id":1}')] });
  });

  test("calls a tool by the caller's own name, however short the provider took it", () => {
    const called = { type: "tool-call", callId: "t", name: shortenToolName(longName), arguments: "{}" } as const;
    assert.equal(encode([called]).content[0].name, longName);
  });

  test("gives reasoning of another provider with what it wants back", () => {
    const opaque: readonly OpaqueState[] = [{ origin: "openai-chat", kind: "reasoning_details", value: "{}" }];
    assert.deepEqual(encode([{ type: "reasoning", text: "Hm.", opaque }]).content, [
      { type: "thinking", thinking: "Hm.", signature: encodeSignature(opaque) },
    ]);
  });

  test("has no block for what says nothing", () => {
    assert.deepEqual(encode([text(""), { type: "reasoning", text: "", opaque: [] }]).content, []);
  });

  test("says a refusal's words as its explanation", () => {
    const parts = [{ type: "refusal", text: "I won't." } as const];
    const body = encode([{ type: "message", role: "assistant", name: null, parts }]);
    assert.deepEqual([body.content, body.stop_reason, body.stop_details.explanation], [[], "refusal", "I won't."]);
  });

  test("gives a call without arguments the empty object, and an id that the API takes", () => {
    const item: Item = { type: "tool-call", callId: "functions.f:0", name: "f", arguments: "" };
    const [block] = encode([item]).content;
    assert.deepEqual(block.input, {});
    assert.match(block.id, /^[a-zA-Z0-9_-]+$/);
  });

  test("does not pass on arguments that the length limit cut", () => {
    const finish = { reason: "length", native: "length", stopSequence: null } as const;
    const body = encode([call('{"a":')], { finish });
    assert.deepEqual([body.content[0].input, body.stop_reason], [{}, "max_tokens"]);
  });

  for (const args of ['{"a":', "[1]", '"text"', "null"]) {
    test(`refuses ${args} as arguments of a call that was not cut`, () => {
      assert.throws(() => encodeResponse(answer([call(args)]), view), { code: "upstream_malformed" });
    });
  }
});
