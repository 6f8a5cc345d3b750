import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest, Item } from "../../canonical.ts";
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

  test("reports cache hints, thinking budgets and failed tools, which it cannot say", () => {
    const items: readonly Item[] = [
      { type: "message", role: "user", name: null, parts: [{ type: "text", text: "x", cache: { ttl: "5m" } }] },
      { type: "tool-result", callId: "1", parts: [], isError: true },
    ];
    const { losses, json } = encode({ items, reasoning: { effort: null, budgetTokens: 10_000 } });
    assert.deepEqual([...losses].sort(), ["cache_control", "is_error", "thinking.budget_tokens"]);
    assert.equal(json.reasoning_effort, "medium");
  });

  test("asks for thinking without a word on how much as for a middling effort", () => {
    const reasoning = { effort: null, budgetTokens: null };
    assert.equal(encode({ reasoning }).json.reasoning_effort, "medium");
    assert.equal(encode({ reasoning }, {}, ["images"]).json.reasoning_effort, "medium");
  });

  test("says nothing of a choice among no tools that demands no call", () => {
    const choosing = (toolChoice: CanonicalRequest["toolChoice"]): object =>
      encode({ toolChoice, parallelToolCalls: false }).json;
    for (const mode of ["auto", "none"] as const) {
      assert.deepEqual(Object.keys(choosing({ mode })), ["model", "messages"]);
    }
    assert.deepEqual(Object.keys(choosing({ mode: "required" })), ["model", "messages", "tool_choice"]);
  });

  test("lowers a bound to what the model writes, and says so", () => {
    const bounded = (maxOutputTokens: number, most: number | null) => {
      const target = { model: "m", maxOutputTokens: most, quirks: {} };
      const { body, losses } = encodeRequest({ ...base, maxOutputTokens }, target);
      return [JSON.parse(Buffer.from(body).toString("utf8")).max_completion_tokens, ...losses];
    };
    assert.deepEqual(bounded(32_000, 16_384), [16_384, "max_tokens=16384"]);
    assert.deepEqual(bounded(16_384, 16_384), [16_384]);
    assert.deepEqual(bounded(32_000, null), [32_000]);
  });

  test("names the end user by a hash where the name is longer than OpenAI takes", () => {
    const user = (endUser: string): string => encode({ endUser }).json.user;
    assert.equal(user("u".repeat(64)), "u".repeat(64));
    assert.match(user("u".repeat(65)), /^[0-9a-f]{64}$/);
    assert.equal(user("u".repeat(65)), user("u".repeat(65)));
    assert.notEqual(user("u".repeat(65)), user("u".repeat(66)));
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
        const { tool_choice: _choice, parallel_tool_calls: _parallel, ...rest } = wire;
        const decoded = decode(Buffer.from(JSON.stringify((wire.tools?.length ?? 0) > 0 ? wire : rest)));
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
