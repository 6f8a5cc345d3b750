import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest, Item, Part } from "../../canonical.ts";
import type { Quirks, TargetFacts } from "../../dialect.ts";
import { decodeRequest } from "../inbound-request/request.ts";
import { viewRequest } from "../inbound/view.ts";
import { encodeRequest } from "./request.ts";

function decode(bytes: Uint8Array): CanonicalRequest {
  return decodeRequest(viewRequest(parseJsonDocument(bytes, { depth: 64 })));
}

const base = decode(Buffer.from('{"model":"m","messages":[{"role":"user","content":"hi"}]}'));

function encode(request: Partial<CanonicalRequest>, quirks: Quirks = {}, lacks: TargetFacts["lacks"] = []) {
  const encoded = encodeRequest({ ...base, ...request }, { model: "real", maxOutputTokens: null, quirks, lacks });
  return { ...encoded, json: JSON.parse(Buffer.from(encoded.body).toString("utf8")) };
}

function refuses(request: Partial<CanonicalRequest>, param: string): void {
  assert.throws(
    () => encode(request),
    (thrown) => thrown instanceof HeadgateError && thrown.code === "unsupported_parameter" && thrown.param === param,
    param,
  );
}

function user(text: string): Item {
  return { type: "message", role: "user", name: null, parts: [{ type: "text", text }] };
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
      items: [said("a"), said("b"), call("1"), call("2"), said("c"), result("1"), result("2"), said("d"), user("e")],
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
      { role: "user", content: "e" },
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

  test("refuses a beginning of the answer, because the model would answer anew", () => {
    refuses({ items: [user("a"), { type: "message", role: "assistant", name: null, parts: [] }] }, "messages");
  });

  test("lets the user show what a tool returned besides text, after all results and before what else is said", () => {
    const image: Part = { type: "image", source: { from: "url", url: "https://example.com/a.png" }, detail: null };
    const result = (callId: string, ...parts: Part[]): Item => ({ type: "tool-result", callId, parts, isError: false });
    const shown = [
      { type: "text", text: "Of the result of the tool call 1:" },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    ];
    const rest = "(The user shows the rest of the result in the next message.)";
    const results = [
      {
        role: "tool",
        tool_call_id: "1",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: rest },
        ],
      },
      { role: "tool", tool_call_id: "2", content: "" },
    ];
    const items = [result("1", { type: "text", text: "a" }, image), result("2")];
    const alone = encode({ items });
    assert.deepEqual(alone.json.messages, [...results, { role: "user", content: shown }]);
    assert.deepEqual(alone.losses, ["tool_result.content"]);
    assert.deepEqual(encode({ items: [...items, user("b"), user("c")] }).json.messages, [
      ...results,
      { role: "user", content: [...shown, { type: "text", text: "b" }] },
      { role: "user", content: "c" },
    ]);
    const call: Item = { type: "tool-call", callId: "3", name: "f", arguments: "{}" };
    assert.deepEqual(
      encode({ items: [...items, call, result("3", image)] }).json.messages.map(({ role }: { role: string }) => role),
      ["tool", "tool", "user", "assistant", "tool", "user"],
    );
  });

  test("spells out documents of plain text, and gives every other content a name", () => {
    const document = (mediaType: string, name: string | null): Part => ({
      type: "document",
      source: { from: "base64", mediaType, data: Buffer.from("Grüße").toString("base64") },
      name,
    });
    const { json, losses } = encode({
      items: [
        {
          type: "message",
          role: "user",
          name: null,
          parts: [document("text/plain", 'a "b"'), document("text/plain", null), document("application/pdf", null)],
        },
        { type: "tool-result", callId: "1", parts: [document("text/plain", null)], isError: false },
      ],
    });
    assert.deepEqual(json.messages, [
      {
        role: "user",
        content: [
          { type: "text", text: '<document title="a \\"b\\"">\nGrüße\n</document>' },
          { type: "text", text: "<document>\nGrüße\n</document>" },
          { type: "file", file: { file_data: "data:application/pdf;base64,R3LDvMOfZQ==", filename: "document.pdf" } },
        ],
      },
      { role: "tool", tool_call_id: "1", content: "<document>\nGrüße\n</document>" },
    ]);
    assert.deepEqual(losses, ["messages.content.type=document"]);
  });

  test("sends a file's id only to those who know it", () => {
    const file = (type: "image" | "document", origin: string): Partial<CanonicalRequest> => {
      const source = { from: "file", fileId: "file-1", origin } as const;
      const part: Part = type === "image" ? { type, source, detail: null } : { type, source, name: null };
      return { items: [{ type: "message", role: "user", name: null, parts: [part] }] };
    };
    assert.deepEqual(encode(file("document", "openai-chat")).json.messages[0].content, [
      { type: "file", file: { file_id: "file-1" } },
    ]);
    refuses(file("document", "anthropic-messages"), "messages");
    refuses(file("image", "anthropic-messages"), "messages");
    refuses(file("image", "openai-chat"), "messages");
  });

  test("asks for thinking without a word on how much as for a middling effort", () => {
    const reasoning = { effort: null, budgetTokens: null };
    assert.equal(encode({ reasoning }).json.reasoning_effort, "medium");
    assert.equal(encode({ reasoning }, {}, ["images"]).json.reasoning_effort, "medium");
  });

  test("does not tell a model that cannot think not to", () => {
    const reasoning = { effort: "none", budgetTokens: null } as const;
    assert.equal(encode({ reasoning }).json.reasoning_effort, "none");
    assert.equal(encode({ reasoning }, {}, ["reasoning"]).json.reasoning_effort, undefined);
  });

  test("carries foreign fields of its own family, reports what moves no answer, and refuses the rest by name", () => {
    assert.equal(encode({ foreign: { seed: 5 } }).json.seed, 5);
    const { json, losses } = encode({
      foreign: {
        cache_control: { type: "ephemeral" },
        "tools[0].cache_control": { type: "ephemeral" },
        "tools[1].cache_control": { type: "ephemeral" },
        "messages[7].content[2].cache_control": { type: "ephemeral" },
        speed: "fast",
        "thinking.display": "omitted",
      },
    });
    assert.deepEqual(Object.keys(json), ["model", "messages"]);
    assert.deepEqual(losses, [
      "cache_control",
      "tools[].cache_control",
      "messages[].content[].cache_control",
      "speed",
      "thinking.display",
    ]);
    const neutral = { speed: "standard", mcp_servers: [], "messages[0].content[0].caller": { type: "direct" } };
    assert.deepEqual(encode({ foreign: neutral }).losses, []);
    for (const name of ["container", "inference_geo", "tools[0].input_examples", "messages[0].content[1].context"]) {
      refuses({ foreign: { [name]: "x" } }, name);
    }
    assert.throws(() => encode({ foreign: { "tools[0]": { type: "web_search_20250305" } } }), /web_search_20250305/);
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
      .map((pairs) => [...pairs.flat().filter((one) => one !== null), { role: "user", content: "And?" }]),
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
