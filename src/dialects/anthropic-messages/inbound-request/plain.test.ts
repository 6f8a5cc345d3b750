import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { DialectName, RequestView } from "../../dialect.ts";
import { findDialect } from "../../registry.ts";
import { viewRequest } from "../inbound/view.ts";
import { isPlain } from "./plain.ts";
import { decodeRequest } from "./request.ts";

const schema = { type: "object", properties: {}, additionalProperties: false };

function view(fields: object): RequestView {
  const body = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hi" }], ...fields };
  return viewRequest(parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 32 }));
}

function isCarried(asked: RequestView, dialect: DialectName): boolean {
  const { translation } = findDialect(dialect).outbound ?? {};
  assert.ok(translation !== undefined);
  try {
    translation.encodeRequest(decodeRequest(asked), { model: "claude-sonnet-4-5", maxOutputTokens: 8192, quirks: {} });
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof HeadgateError && thrown.code === "unsupported_parameter", String(thrown));
    return false;
  }
}

const cache_control = { type: "ephemeral" };
const tools = [{ name: "f", description: "F.", input_schema: schema, cache_control }];
const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };

function loop(...content: object[]): object {
  const use = { type: "tool_use", id: "t", name: "f", input: {} };
  const result = { type: "tool_result", tool_use_id: "t", content, cache_control };
  return {
    tools,
    messages: [
      { role: "user", content: "hi" },
      { role: "assistant", content: [{ type: "thinking", thinking: "a", signature: "b" }, use] },
      { role: "user", content: [result] },
    ],
  };
}

test("what is called plain is carried to all dialects", () => {
  const plain = [
    {},
    { stream: true, temperature: 1, top_p: 0.5, stop_sequences: ["a"], service_tier: "standard_only" },
    { system: [{ type: "text", text: "a", cache_control }], metadata: { user_id: "u" } },
    { tools, tool_choice: { type: "any", disable_parallel_tool_use: true } },
    { output_config: { format: { type: "json_schema", schema } } },
    { messages: [{ role: "user", content: [image] }], tool_choice: null, thinking: null },
    loop({ type: "text", text: "a" }, image),
  ];
  for (const fields of plain) {
    assert.equal(isPlain(view(fields)), true, JSON.stringify(fields));
    for (const dialect of ["openai-chat", "anthropic-messages"] as const) {
      assert.equal(isCarried(view(fields), dialect), true, JSON.stringify(fields));
    }
  }
});

test("what another dialect refuses is never called plain", () => {
  const file = { type: "image", source: { type: "file", file_id: "f" } };
  const refused = [
    { max_tokens: 0 },
    { container: "c" },
    { tomorrow: true },
    { metadata: { team: "a" } },
    { output_config: { task_budget: 5 } },
    { thinking: { type: "between_tools" } },
    { tools: [{ type: "web_search_20250305", name: "web_search" }] },
    { tools: [{ ...tools[0], input_examples: [{}] }] },
    { messages: [{ role: "user", content: [file] }] },
    { messages: [{ role: "user", content: [{ type: "search_result", source: "s", title: "t", content: [] }] }] },
    loop(file),
    {
      messages: [
        { role: "user", content: "hi" },
        { role: "assistant", content: "The answer is (" },
      ],
    },
  ];
  for (const fields of refused) {
    assert.equal(isCarried(view(fields), "openai-chat"), false, JSON.stringify(fields));
    assert.equal(isPlain(view(fields)), false, JSON.stringify(fields));
  }
});

test("what depends on the target is not called plain, either", () => {
  const conditional = [
    { top_k: 5 },
    { thinking: { type: "adaptive" } },
    { output_config: { effort: "low" } },
    { service_tier: "priority" },
    { stop_sequences: [" "] },
    { tools, tool_choice: { type: "tool", name: "f" } },
    {
      messages: [
        {
          role: "user",
          content: [{ type: "document", source: { type: "text", media_type: "text/plain", data: "a" } }],
        },
      ],
    },
  ];
  for (const fields of conditional) assert.equal(isPlain(view(fields)), false, JSON.stringify(fields));
});
