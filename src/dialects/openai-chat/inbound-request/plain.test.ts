import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { RequestView } from "../../dialect.ts";
import { findDialect } from "../../registry.ts";
import { viewRequest } from "../inbound/view.ts";
import { isPlain } from "./plain.ts";
import { decodeRequest } from "./request.ts";

const schema = { type: "object", properties: {}, additionalProperties: false };

function view(fields: object): RequestView {
  const body = { model: "m", messages: [{ role: "user", content: "hi" }], ...fields };
  return viewRequest(parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 32 }));
}

function isCarried(asked: RequestView): boolean {
  const { translation } = findDialect("anthropic-messages").outbound ?? {};
  assert.ok(translation !== undefined);
  try {
    translation.encodeRequest(decodeRequest(asked), { model: "claude-sonnet-4-5", maxOutputTokens: 8192, quirks: {} });
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof HeadgateError && thrown.code === "unsupported_parameter", String(thrown));
    return false;
  }
}

const tools = [{ type: "function", function: { name: "f", parameters: schema } }];

test("what is called plain is carried to the other dialect", () => {
  const plain = [
    {},
    { stream: true, stream_options: { include_usage: true }, n: 1, temperature: 1, top_p: 0.5 },
    { max_tokens: 10, max_completion_tokens: 20, stop: ["a", "b"], seed: 5, store: true, metadata: { a: "b" } },
    { tools, tool_choice: "required", parallel_tool_calls: false },
    { response_format: { type: "json_schema", json_schema: { name: "s", schema } } },
    { response_format: { type: "text" }, stop: "x", user: "u", safety_identifier: "s" },
    { prompt_cache_key: "k", prompt_cache_retention: "24h" },
    { logit_bias: null, temperature: null, tools: null, tool_choice: null, response_format: null },
  ];
  for (const fields of plain) {
    assert.equal(isPlain(view(fields)), true, JSON.stringify(fields));
    assert.equal(isCarried(view(fields)), true, JSON.stringify(fields));
  }
});

test("what the other dialect refuses is never called plain", () => {
  const refused = [
    { n: 2 },
    { temperature: 1.5 },
    { stop: "  " },
    { stop: ["a", ""] },
    { logprobs: true },
    { logit_bias: { "5": 1 } },
    { presence_penalty: 1 },
    { response_format: { type: "json_object" } },
    { modalities: ["text", "audio"], audio: { voice: "alloy", format: "mp3" } },
    { service_tier: "priority" },
    { functions: [{ name: "f" }] },
    { tools: [{ type: "custom", custom: { name: "f" } }] },
    { tomorrow: true },
    { messages: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }] }] },
    { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }] },
  ];
  for (const fields of refused) {
    assert.equal(isCarried(view(fields)), false, JSON.stringify(fields));
    assert.equal(isPlain(view(fields)), false, JSON.stringify(fields));
  }
});
