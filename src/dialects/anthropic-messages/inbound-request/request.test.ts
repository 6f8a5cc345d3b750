import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest } from "../../canonical.ts";
import { viewRequest } from "../inbound/view.ts";
import { decodeRequest } from "./request.ts";

const base = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hi" }] };
const schema = { type: "object", properties: {}, additionalProperties: false };

function decode(fields: object): CanonicalRequest {
  const body = Buffer.from(JSON.stringify({ ...base, ...fields }));
  return decodeRequest(viewRequest(parseJsonDocument(body, { depth: 32 })));
}

function refuses(fields: object, param: string, code = "invalid_value"): void {
  assert.throws(
    () => decode(fields),
    (thrown) => thrown instanceof HeadgateError && thrown.code === code && thrown.param === param,
    param,
  );
}

describe("a Messages request in canonical form", () => {
  test("says of what the caller left out that nobody said", () => {
    assert.deepEqual(decode({}), {
      model: "m",
      stream: false,
      items: [{ type: "message", role: "user", name: null, parts: [{ type: "text", text: "hi" }] }],
      tools: [],
      toolChoice: null,
      parallelToolCalls: null,
      maxOutputTokens: 100,
      temperature: null,
      topP: null,
      topK: null,
      stop: [],
      outputFormat: null,
      reasoning: null,
      endUser: null,
      serviceTier: null,
      foreign: {},
    });
  });

  test("holds each field in its place", () => {
    const { items: _items, ...rest } = decode({
      stream: true,
      tools: [
        { name: "f", description: "F.", input_schema: schema, strict: true },
        { type: "custom", name: "g", input_schema: {} },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ["END"],
      thinking: { type: "enabled", budget_tokens: 2048 },
      output_config: { format: { type: "json_schema", schema } },
      metadata: { user_id: "u-1" },
      service_tier: "standard_only",
    });
    assert.deepEqual(rest, {
      model: "m",
      stream: true,
      tools: [
        { name: "f", description: "F.", parameters: schema, strict: true },
        { name: "g", description: null, parameters: {}, strict: null },
      ],
      toolChoice: { mode: "required" },
      parallelToolCalls: false,
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ["END"],
      outputFormat: { type: "json-schema", name: "output", description: null, schema, strict: true },
      reasoning: { effort: null, budgetTokens: 2048 },
      endUser: "u-1",
      serviceTier: "default",
      foreign: {},
    });
  });

  test("chooses among tools in the words of all dialects", () => {
    const choices: [object, unknown][] = [
      [{ type: "auto" }, { mode: "auto" }],
      [{ type: "none" }, { mode: "none" }],
      [{ type: "any" }, { mode: "required" }],
      [
        { type: "tool", name: "f" },
        { mode: "named", name: "f" },
      ],
    ];
    for (const [tool_choice, expected] of choices) assert.deepEqual(decode({ tool_choice }).toolChoice, expected);
    const loose = { type: "auto", disable_parallel_tool_use: false };
    assert.equal(decode({ tool_choice: loose }).parallelToolCalls, null);
  });

  test("shortens the names of tools to what other dialects take, in every place alike and never two to one", () => {
    const long = `mcp__plugin_browser__${"look_at_".repeat(6)}`;
    const tools = ["a", "b"].map((end) => ({ name: long + end, input_schema: {} }));
    const use = { type: "tool_use", id: "t", name: `${long}b`, input: {} };
    const request = decode({
      tools,
      tool_choice: { type: "tool", name: `${long}a` },
      messages: [{ role: "assistant", content: [use] }],
    });
    const [first, second] = request.tools.map(({ name }) => name);
    assert.match(first!, /^mcp__plugin_browser__[a-z_]+_[0-9a-f]{10}$/);
    assert.deepEqual([first!.length, second!.length], [64, 64]);
    assert.notEqual(first, second);
    assert.deepEqual(request.toolChoice, { mode: "named", name: first });
    assert.deepEqual(request.items, [{ type: "tool-call", callId: "t", name: second, arguments: "{}" }]);
  });

  test("asks for thinking by budget, by effort, or as the model finds right", () => {
    const effort = { effort: "low" };
    const asked = (fields: object): unknown => {
      const { reasoning, foreign } = decode(fields);
      return Object.keys(foreign).length === 0 ? reasoning : [reasoning, foreign];
    };
    assert.deepEqual(asked({ thinking: { type: "adaptive" } }), { effort: null, budgetTokens: null });
    assert.deepEqual(asked({ thinking: { type: "adaptive" }, output_config: effort }), {
      effort: "low",
      budgetTokens: null,
    });
    assert.deepEqual(asked({ output_config: effort }), { effort: "low", budgetTokens: null });
    assert.deepEqual(asked({ thinking: { type: "enabled", budget_tokens: 5000 }, output_config: effort }), {
      effort: "low",
      budgetTokens: 5000,
    });
    const off = { effort: "none", budgetTokens: null };
    assert.deepEqual(asked({ thinking: { type: "disabled" } }), off);
    assert.deepEqual(asked({ thinking: { type: "disabled" }, output_config: effort }), [
      off,
      { "output_config.effort": "low" },
    ]);
    assert.deepEqual(asked({ thinking: { type: "adaptive", display: "omitted" } }), [
      { effort: null, budgetTokens: null },
      { "thinking.display": "omitted" },
    ]);
  });

  test("takes a schema for its output under the old name, too", () => {
    const format = { type: "json_schema", schema };
    assert.deepEqual(decode({ output_format: format }), decode({ output_config: { format } }));
  });

  test("puts what has no place aside under its own name", () => {
    const search = { type: "web_search_20250305", name: "web_search" };
    const fields = {
      cache_control: { type: "ephemeral" },
      container: "c",
      mcp_servers: [],
      context_management: { edits: [] },
      inference_geo: "eu",
      tomorrow: 1,
    };
    const { foreign, tools } = decode({
      ...fields,
      metadata: { user_id: null, team: "a" },
      output_config: { task_budget: 5 },
      tools: [search, { name: "f", input_schema: {}, defer_loading: true }],
      tool_choice: { type: "auto", mood: "good" },
    });
    assert.deepEqual(foreign, {
      ...fields,
      "metadata.team": "a",
      "output_config.task_budget": 5,
      "tools[0]": search,
      "tools[1].defer_loading": true,
      "tool_choice.mood": "good",
    });
    assert.deepEqual(
      tools.map(({ name }) => name),
      ["f"],
    );
  });

  test("is refused by its path for each field of the wrong form", () => {
    const tool = { name: "f", input_schema: {} };
    refuses({ max_tokens: 0 }, "max_tokens", "unsupported_parameter");
    refuses({ temperature: 1.5 }, "temperature");
    refuses({ top_p: -1 }, "top_p");
    refuses({ top_k: 0.5 }, "top_k");
    refuses({ tools: [{ input_schema: {} }] }, "tools[0].name", "missing_field");
    refuses({ tools: [{ name: "", input_schema: {} }] }, "tools[0].name");
    refuses({ tools: [{ name: "f" }] }, "tools[0].input_schema");
    refuses({ tools: [{ ...tool, description: 5 }] }, "tools[0].description");
    refuses({ tools: [{ ...tool, strict: "yes" }] }, "tools[0].strict");
    refuses({ tools: [tool, tool] }, "tools[1].name");
    refuses({ tool_choice: { type: "some" } }, "tool_choice.type", "unsupported_parameter");
    refuses({ tool_choice: { type: "tool" } }, "tool_choice.name", "missing_field");
    refuses({ thinking: { type: "enabled" } }, "thinking.budget_tokens", "missing_field");
    refuses({ thinking: { type: "enabled", budget_tokens: "2k" } }, "thinking.budget_tokens");
    refuses({ thinking: { type: "between_tools" } }, "thinking.type", "unsupported_parameter");
    refuses({ output_config: { effort: "medium-rare" } }, "output_config.effort");
    refuses({ output_config: { format: { type: "xml" } } }, "output_config.format.type", "unsupported_parameter");
    refuses({ output_config: { format: { type: "json_schema" } } }, "output_config.format.schema", "missing_field");
    refuses({ output_format: { type: "json_schema", schema: "{}" } }, "output_format.schema");
    refuses({ service_tier: "priority" }, "service_tier");
  });
});
