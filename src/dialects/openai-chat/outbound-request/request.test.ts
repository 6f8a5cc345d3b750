import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest, Item } from "../../canonical.ts";
import type { Quirks } from "../../dialect.ts";
import { decodeRequest } from "../inbound-request/request.ts";
import { viewRequest } from "../inbound/view.ts";
import { encodeRequest } from "./request.ts";

function decode(bytes: Uint8Array): CanonicalRequest {
  return decodeRequest(viewRequest(parseJsonDocument(bytes, { depth: 64 })));
}

const base = decode(Buffer.from('{"model":"m","messages":[{"role":"user","content":"hi"}]}'));

function encode(request: Partial<CanonicalRequest>, quirks: Quirks = {}) {
  const encoded = encodeRequest({ ...base, ...request }, { model: "real", maxOutputTokens: null, quirks });
  return { ...encoded, json: JSON.parse(Buffer.from(encoded.body).toString("utf8")) };
}

describe("encodeRequest", () => {
  test("says only what the request says", () => {
    assert.deepEqual(encode({}).json, { model: "real", messages: [{ role: "user", content: "hi" }] });
  });

  test("asks for usage in a stream where the provider needs asking", () => {
    assert.deepEqual(encode({ stream: true }).json.stream_options, { include_usage: true });
    assert.equal(encode({ stream: true }, { streamUsage: "always" }).json.stream_options, undefined);
  });

  test("bounds output in the field the provider reads", () => {
    assert.equal(encode({ maxOutputTokens: 5 }).json.max_completion_tokens, 5);
    assert.equal(encode({ maxOutputTokens: 5 }, { outputBoundField: "max_tokens" }).json.max_tokens, 5);
  });

  test("makes one message of reasoning, text and calls, and keeps separate turns separate", () => {
    const said = (text: string): Item => ({
      type: "message",
      role: "assistant",
      name: null,
      parts: [{ type: "text", text }],
    });
    const call = (callId: string): Item => ({ type: "tool-call", callId, name: "f", arguments: "" });
    const result = (callId: string): Item => ({
      type: "tool-result",
      callId,
      parts: [{ type: "text", text: "r" }],
      isError: false,
    });
    const { messages } = encode({
      items: [said("a"), said("b"), call("1"), call("2"), said("c"), result("1"), result("2"), said("d")],
    }).json;
    const wire = (id: string): object => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
    assert.deepEqual(messages, [
      { role: "assistant", content: "a" },
      {
        role: "assistant",
        content: [
          { type: "text", text: "b" },
          { type: "text", text: "c" },
        ],
        tool_calls: [wire("1"), wire("2")],
      },
      { role: "tool", tool_call_id: "1", content: "r" },
      { role: "tool", tool_call_id: "2", content: "r" },
      { role: "assistant", content: "d" },
    ]);
  });

  test("gives reasoning back only as the provider takes it, and reports what stays behind", () => {
    const state = { type: "reasoning.text", signature: "s", format: "x", index: 0 };
    const own = { origin: "openai-chat", kind: "reasoning_details", value: JSON.stringify(state) };
    const foreign = { origin: "anthropic-messages", kind: "signature", value: "secret" };
    const items = (...opaque: (typeof own)[]): readonly Item[] => [{ type: "reasoning", text: "Hm.", opaque }];
    const history = (
      reasoningHistory: "none" | "reasoning_content" | "reasoning_details",
      ...opaque: (typeof own)[]
    ): unknown[] => {
      const { json, losses } = encode({ items: items(...opaque) }, { reasoningHistory });
      assert.doesNotMatch(JSON.stringify(json), /secret/);
      const { role: _role, content: _content, ...reasoning } = json.messages[0];
      return [reasoning, losses];
    };
    assert.deepEqual(history("none", own), [{}, ["reasoning"]]);
    assert.deepEqual(history("reasoning_content", own), [{ reasoning_content: "Hm." }, []]);
    assert.deepEqual(history("reasoning_details", own), [{ reasoning_details: [{ ...state, text: "Hm." }] }, []]);
    assert.deepEqual(history("reasoning_details", foreign), [{ reasoning_content: "Hm." }, ["reasoning"]]);
  });

  test("reports cache hints, thinking budgets and failed tools, which it cannot say", () => {
    const items: readonly Item[] = [
      { type: "message", role: "user", name: null, parts: [{ type: "text", text: "x", cache: { ttl: "5m" } }] },
      { type: "tool-result", callId: "1", parts: [], isError: true },
    ];
    const { losses, json } = encode({ items, reasoning: { effort: null, budgetTokens: 10_000 } });
    assert.deepEqual([...losses].sort(), ["cache_control", "is_error", "thinking.budget_tokens"]);
    assert.equal(json.reasoning_effort, "medium");
  });

  test("carries foreign fields of its own family and refuses the rest by name", () => {
    assert.equal(encode({ foreign: { seed: 5 } }).json.seed, 5);
    const refused = (request: Partial<CanonicalRequest>, param: string): void => {
      assert.throws(
        () => encode(request),
        (thrown) =>
          thrown instanceof HeadgateError && thrown.code === "unsupported_parameter" && thrown.param === param,
      );
    };
    refused({ foreign: { container: "c" } }, "container");
    const image = { type: "image", source: { from: "url", url: "https://x" }, detail: null } as const;
    refused({ items: [{ type: "tool-result", callId: "1", parts: [image], isError: false }] }, "messages");
  });

  test("decodes to the same canonical request, for any request", () => {
    const quirks: Quirks = { reasoningHistory: "reasoning_content", streamUsage: "never" };
    fc.assert(
      fc.property(wireRequest, (wire) => {
        const decoded = decode(Buffer.from(JSON.stringify(wire)));
        const encoded = encodeRequest(decoded, { model: decoded.model, maxOutputTokens: null, quirks });
        assert.deepEqual(decode(encoded.body), decoded);
        assert.deepEqual(encoded.losses, []);
      }),
    );
  });
});

const text = fc.string({ minLength: 1, unit: "grapheme" });
const textPart = fc.record({ type: fc.constant("text"), text });
const mediaPart = fc.constantFrom(
  { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "high" } },
  { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
  { type: "file", file: { file_id: "file-1" } },
  { type: "file", file: { file_data: "data:application/pdf;base64,BBBB", filename: "b.pdf" } },
  { type: "input_audio", input_audio: { data: "CCCC", format: "wav" } },
);
const content = fc.oneof(text, fc.array(fc.oneof(textPart, mediaPart), { minLength: 1, maxLength: 3 }));
const toolCall = fc.record({
  id: text,
  type: fc.constant("function"),
  function: fc.record({ name: text, arguments: fc.constantFrom("{}", '{"a":[1,"é"]}', '{"cut') }),
});
const assistant = fc.record(
  {
    role: fc.constant("assistant"),
    content: fc.oneof(text, fc.array(textPart, { minLength: 1, maxLength: 2 })),
    reasoning_content: text,
    tool_calls: fc.array(toolCall, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["role", "content"] },
);
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer", "user"), content }),
  fc.record({ role: fc.constant("user"), name: text, content }),
  fc.record({ role: fc.constant("tool"), tool_call_id: text, content: text }),
);
const functionTool = fc.record(
  { name: text, description: text, parameters: fc.constant({ type: "object", $defs: {} }), strict: fc.boolean() },
  { requiredKeys: ["name"] },
);
const wireRequest = fc.record(
  {
    model: text,
    // Two messages of the assistant in a row are told apart only if the first has no calls: keep others between them.
    messages: fc
      .array(fc.tuple(message, fc.option(assistant)), { minLength: 1, maxLength: 4 })
      .map((pairs) => pairs.flat().filter((one) => one !== null)),
    stream: fc.boolean(),
    tools: fc
      .uniqueArray(functionTool, { selector: (tool) => tool.name, maxLength: 3 })
      .map((tools) => tools.map((tool) => ({ type: "function", function: tool }))),
    tool_choice: fc.constantFrom(
      "auto",
      "required",
      { type: "function", function: { name: "f" } },
      {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
      },
    ),
    parallel_tool_calls: fc.boolean(),
    max_completion_tokens: fc.integer({ min: 1, max: 1e6 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }).map((value) => value + 0),
    stop: fc.array(text, { minLength: 1, maxLength: 4 }),
    response_format: fc.constantFrom(
      { type: "text" },
      { type: "json_object" },
      { type: "json_schema", json_schema: { name: "n", description: "d", schema: { type: "object" }, strict: true } },
    ),
    reasoning_effort: fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    user: text,
    service_tier: fc.constantFrom("auto", "flex"),
    seed: fc.integer(),
    metadata: fc.dictionary(text, text),
  },
  { requiredKeys: ["model", "messages"] },
);
