import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError, type ErrorCode } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest } from "../../canonical.ts";
import { viewRequest } from "../inbound/view.ts";
import { decodeRequest } from "./request.ts";

const user = { role: "user", content: "hi" };

function decode(fields: object): CanonicalRequest {
  const bytes = Buffer.from(JSON.stringify({ model: "m", messages: [user], ...fields }));
  return decodeRequest(viewRequest(parseJsonDocument(bytes, { depth: 32 })));
}

function assertRefused(fields: object, code: ErrorCode, param: string): void {
  assert.throws(
    () => decode(fields),
    (thrown) => thrown instanceof HeadgateError && thrown.code === code && thrown.param === param,
    `${JSON.stringify(fields)} should be refused naming ${param}`,
  );
}

describe("decodeRequest", () => {
  test("says null for what the caller did not say", () => {
    assert.deepEqual(decode({}), {
      model: "m",
      stream: false,
      items: [{ type: "message", role: "user", name: null, parts: [{ type: "text", text: "hi" }] }],
      tools: [],
      toolChoice: null,
      parallelToolCalls: null,
      maxOutputTokens: null,
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

  test("reads every setting that has a place", () => {
    const request = decode({
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      max_tokens: 10,
      temperature: 0,
      top_p: 0.5,
      top_k: 40,
      stop: "END",
      user: "u",
      service_tier: "flex",
      parallel_tool_calls: false,
      n: 1,
    });
    const { items: _items, tools: _tools, ...settings } = request;
    assert.deepEqual(settings, {
      model: "m",
      stream: true,
      toolChoice: null,
      parallelToolCalls: false,
      maxOutputTokens: 10,
      temperature: 0,
      topP: 0.5,
      topK: 40,
      stop: ["END"],
      outputFormat: null,
      reasoning: null,
      endUser: "u",
      serviceTier: "flex",
      foreign: {},
    });
  });

  test("keeps what has no place under its own name, unless it is null", () => {
    const fields = { seed: 7, logit_bias: { "1": 5 }, metadata: { a: "b" }, tomorrow: [1], verbosity: null };
    const { verbosity: _none, ...kept } = fields;
    assert.deepEqual(decode(fields).foreign, kept);
  });

  test("refuses several choices and legacy functions", () => {
    assertRefused({ n: 2 }, "unsupported_parameter", "n");
    assertRefused({ functions: [{ name: "f" }] }, "unsupported_parameter", "functions");
    assertRefused({ function_call: "auto" }, "unsupported_parameter", "function_call");
    assert.doesNotThrow(() => decode({ functions: [], function_call: null }));
  });

  test("refuses what only the provider of the same dialect may judge", () => {
    assertRefused({ max_tokens: -1 }, "invalid_value", "max_tokens");
    assertRefused({ temperature: 2.1 }, "invalid_value", "temperature");
    assertRefused({ top_p: -0.1 }, "invalid_value", "top_p");
    assertRefused({ messages: [{ role: "boss", content: "x" }] }, "unsupported_parameter", "messages[0].role");
  });

  test("reads output formats", () => {
    const schema = {
      type: "object",
      properties: { a: { $ref: "#/$defs/a" } },
      $defs: { a: { type: ["string", "null"] } },
    };
    const json_schema = { name: "answer", schema, strict: true };
    assert.deepEqual(decode({ response_format: { type: "json_schema", json_schema } }).outputFormat, {
      type: "json-schema",
      name: "answer",
      description: null,
      schema,
      strict: true,
    });
    assert.deepEqual(decode({ response_format: { type: "json_object" } }).outputFormat, { type: "json-object" });
    assertRefused({ response_format: { type: "json_schema" } }, "invalid_value", "response_format.json_schema.name");
    const unnamed = { type: "json_schema", json_schema: { name: "answer" } };
    assertRefused({ response_format: unnamed }, "missing_field", "response_format.json_schema.schema");
    assertRefused({ response_format: { type: "grammar" } }, "unsupported_parameter", "response_format.type");
  });

  test("keeps members without a place inside objects, by their path", () => {
    const choice = { type: "function", function: { name: "f", mood: 1 }, sticky: true };
    const allowed = { mode: "auto", tools: [{ ...choice, type: "function" }], later: 1 };
    const json_schema = { name: "a", schema: {}, version: 2 };
    const cases: readonly (readonly [object, string[]])[] = [
      [{ response_format: { type: "text", grammar: "g" } }, ["response_format.grammar"]],
      [
        { response_format: { type: "json_schema", json_schema, strict: true } },
        ["response_format.strict", "response_format.json_schema.version"],
      ],
      [{ tool_choice: choice }, ["tool_choice.sticky", "tool_choice.function.mood"]],
      [
        { tool_choice: { type: "allowed_tools", allowed_tools: allowed, extra: 1 } },
        [
          "tool_choice.extra",
          "tool_choice.allowed_tools.later",
          "tool_choice.allowed_tools.tools[0].sticky",
          "tool_choice.allowed_tools.tools[0].function.mood",
        ],
      ],
    ];
    for (const [fields, foreign] of cases) assert.deepEqual(Object.keys(decode(fields).foreign), foreign);
  });

  test("keeps every digit of the numbers in schemas", () => {
    const schema = '{"type":"object","properties":{"é":{"maximum":9223372036854775807,"multipleOf":1e400}}}';
    const tool = `{"type":"function","function":{"name":"f","parameters":${schema}}}`;
    const format = `{"type":"json_schema","json_schema":{"name":"a","schema":${schema}}}`;
    const body = `{"model":"m","messages":[{"role":"user","content":"ü"}],"tools":[${tool}],"response_format":${format}}`;
    const request = decodeRequest(viewRequest(parseJsonDocument(Buffer.from(body), { depth: 32 })));
    assert.equal(JSON.stringify(request.tools[0]?.parameters), schema);
    assert.ok(request.outputFormat?.type === "json-schema");
    assert.equal(JSON.stringify(request.outputFormat.schema), schema);
  });

  test("reads reasoning settings and their vendors' spellings", () => {
    const cases: readonly (readonly [object, CanonicalRequest["reasoning"], string[]])[] = [
      [{ reasoning_effort: "high" }, { effort: "high", budgetTokens: null }, []],
      [{ reasoning: { effort: "low", max_tokens: 2000 } }, { effort: "low", budgetTokens: 2000 }, []],
      [{ thinking: { type: "enabled", budget_tokens: 4000 } }, { effort: null, budgetTokens: 4000 }, []],
      [{ thinking: { type: "disabled" } }, { effort: "none", budgetTokens: null }, []],
      [{ thinking: { type: "enabled" } }, { effort: null, budgetTokens: null }, []],
      [{ thinking: { type: "adaptive" } }, { effort: null, budgetTokens: null }, []],
      [{ reasoning: { enabled: true } }, { effort: null, budgetTokens: null }, []],
      [{ reasoning: { enabled: false } }, { effort: "none", budgetTokens: null }, []],
      [{ thinking: { type: "between_tools" } }, null, ["thinking"]],
      [
        { reasoning_effort: "low", thinking: { type: "adaptive", display: "omitted" } },
        { effort: "low", budgetTokens: null },
        ["thinking"],
      ],
      [{ reasoning: { exclude: true } }, null, ["reasoning"]],
    ];
    for (const [fields, reasoning, foreign] of cases) {
      const request = decode(fields);
      assert.deepEqual(request.reasoning, reasoning, JSON.stringify(fields));
      assert.deepEqual(Object.keys(request.foreign), foreign);
    }
    assertRefused({ reasoning_effort: "extreme" }, "invalid_value", "reasoning_effort");
    assertRefused({ reasoning: { max_tokens: 0 } }, "invalid_value", "reasoning.max_tokens");
  });
});

describe("tools", () => {
  const named = (name: string): object => ({ type: "function", function: { name } });

  test("keep their order, schema and strictness", () => {
    const parameters = { type: "object", properties: {}, additionalProperties: false };
    const tools = [
      { type: "function", function: { name: "b", description: "B", parameters, strict: true } },
      { type: "function", function: { name: "a", strict: null } },
    ];
    assert.deepEqual(decode({ tools }).tools, [
      { name: "b", description: "B", parameters, strict: true },
      { name: "a", description: null, parameters: null, strict: null },
    ]);
  });

  test("of another type, and members without a place, are foreign", () => {
    const custom = { type: "custom", custom: { name: "c" } };
    const cached = { ...named("f"), cache_control: { type: "ephemeral" } };
    assert.deepEqual(decode({ tools: [custom, cached] }).foreign, {
      "tools[0]": custom,
      "tools[1].cache_control": { type: "ephemeral" },
    });
  });

  test("need a name that is theirs alone", () => {
    assertRefused({ tools: [{ type: "function" }] }, "invalid_value", "tools[0].function");
    assertRefused({ tools: [{ type: "function", function: {} }] }, "missing_field", "tools[0].function.name");
    assertRefused({ tools: [named("f"), named("f")] }, "invalid_value", "tools[1].function.name");
  });

  test("can be chosen in every way", () => {
    const choose = (tool_choice: unknown): unknown => decode({ tools: [named("f")], tool_choice }).toolChoice;
    for (const mode of ["auto", "none", "required"]) assert.deepEqual(choose(mode), { mode });
    assert.deepEqual(choose(named("f")), { mode: "named", name: "f" });
    assert.deepEqual(choose({ type: "allowed_tools", allowed_tools: { mode: "required", tools: [named("f")] } }), {
      mode: "allowed",
      required: true,
      names: ["f"],
    });
    assertRefused({ tool_choice: "any" }, "invalid_value", "tool_choice");
    assertRefused({ tool_choice: { type: "custom", custom: {} } }, "unsupported_parameter", "tool_choice.type");
    assertRefused({ tool_choice: { type: "function" } }, "invalid_value", "tool_choice.function");
  });
});
