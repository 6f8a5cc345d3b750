import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeRequest } from "../../src/dialects/anthropic-messages/inbound-request/request.ts";
import { viewRequest } from "../../src/dialects/anthropic-messages/inbound/view.ts";
import type { Quirks, TargetFacts } from "../../src/dialects/dialect.ts";
import { openaiChat } from "../../src/dialects/openai-chat/openai-chat.ts";
import { HeadgateError } from "../../src/kernel/errors.ts";
import { parseJsonDocument } from "../../src/kernel/json-document.ts";

interface Translated {
  /** The body as it is on the wire. */
  readonly text: string;
  readonly body: Record<string, unknown>;
  readonly losses: readonly string[];
}

/** `request`: an object, or the JSON text of one. */
function translate(request: object | string, quirks: Quirks = {}, lacks: TargetFacts["lacks"] = []): Translated {
  const wire = typeof request === "string" ? request : JSON.stringify(request);
  const view = viewRequest(parseJsonDocument(Buffer.from(wire), { depth: 64 }));
  const target = { model: "gpt-5", maxOutputTokens: null, quirks, lacks };
  const encoded = openaiChat.outbound!.translation!.encodeRequest(decodeRequest(view), target);
  const text = Buffer.from(encoded.body).toString("utf8");
  return { text, body: JSON.parse(text), losses: encoded.losses };
}

const plain = { model: "m", max_tokens: 500, messages: [{ role: "user", content: "Hi" }] };
const cache_control = { type: "ephemeral" };
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { name: "get_weather", description: "Says the weather.", input_schema: schema };

function refuses(change: object, param: string): void {
  assert.throws(
    () => translate({ ...plain, ...change }),
    (thrown) => thrown instanceof HeadgateError && thrown.status === 400 && thrown.param === param,
    param,
  );
}

describe("an Anthropic request to an OpenAI model", () => {
  test("arrives byte by byte as OpenAI's own callers would have sent it", () => {
    const { text, losses } = translate(
      `{"model":"m","max_tokens":500,"system":"Be brief.","messages":[` +
        `{"role":"user","content":"Wie wird's in Köln? 🌍"},` +
        `{"role":"assistant","content":[{"type":"text","text":"Looking."},` +
        `{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Köln","at":1e400}},` +
        `{"type":"tool_use","id":"toolu_2","name":"get_time","input":{}}]},` +
        `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"rain"},` +
        `{"type":"tool_result","tool_use_id":"toolu_2","content":[{"type":"text","text":"noon"}]},` +
        `{"type":"text","text":"And?"}]}],` +
        `"tools":[{"name":"get_weather","description":"Says the weather.","input_schema":{"type":"object","properties":{"at":{"maximum":9223372036854775807}}}},` +
        `{"name":"get_time","input_schema":{"type":"object"},"strict":true}],` +
        `"tool_choice":{"type":"any","disable_parallel_tool_use":true},"stop_sequences":["END"],` +
        `"temperature":0.3,"top_p":0.9,"top_k":40,"metadata":{"user_id":"u-7"},"service_tier":"standard_only","stream":true}`,
    );
    assert.equal(
      text,
      `{"model":"gpt-5","messages":[{"role":"system","content":"Be brief."},` +
        `{"role":"user","content":"Wie wird's in Köln? 🌍"},` +
        `{"role":"assistant","content":"Looking.","tool_calls":[` +
        `{"id":"toolu_1","type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Köln\\",\\"at\\":1e400}"}},` +
        `{"id":"toolu_2","type":"function","function":{"name":"get_time","arguments":"{}"}}]},` +
        `{"role":"tool","tool_call_id":"toolu_1","content":"rain"},` +
        `{"role":"tool","tool_call_id":"toolu_2","content":"noon"},` +
        `{"role":"user","content":"And?"}],` +
        `"stream":true,"stream_options":{"include_usage":true},` +
        `"tools":[{"type":"function","function":{"name":"get_weather","description":"Says the weather.","parameters":{"type":"object","properties":{"at":{"maximum":9223372036854775807}}}}},` +
        `{"type":"function","function":{"name":"get_time","parameters":{"type":"object"},"strict":true}}],` +
        `"tool_choice":"required","parallel_tool_calls":false,"stop":["END"],"max_completion_tokens":500,` +
        `"temperature":0.3,"top_p":0.9,"top_k":40,"user":"u-7","service_tier":"default"}`,
    );
    assert.deepEqual(losses, []);
  });

  test("shows media where OpenAI takes them, and those of a tool's result in the user's words", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } };
    const { body, losses } = translate({
      ...plain,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Look." },
            { type: "image", source: { type: "url", url: "https://example.com/a.jpg" } },
            {
              type: "document",
              title: "a.pdf",
              source: { type: "base64", media_type: "application/pdf", data: "JVBE" },
            },
            { type: "document", title: "Notes", source: { type: "text", media_type: "text/plain", data: "Grüße" } },
          ],
        },
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "shoot", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: [image], is_error: true }] },
      ],
    });
    assert.deepEqual(body["messages"], [
      {
        role: "user",
        content: [
          { type: "text", text: "Look." },
          { type: "image_url", image_url: { url: "https://example.com/a.jpg" } },
          { type: "file", file: { file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" } },
          { type: "text", text: '<document title="Notes">\nGrüße\n</document>' },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "toolu_1", type: "function", function: { name: "shoot", arguments: "{}" } }],
      },
      {
        role: "tool",
        tool_call_id: "toolu_1",
        content: "(The user shows the rest of the result in the next message.)",
      },
      {
        role: "user",
        content: [
          { type: "text", text: "Of the result of the tool call toolu_1:" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } },
        ],
      },
    ]);
    assert.deepEqual(losses, ["messages.content.type=document", "is_error", "tool_result.content"]);
  });

  test("leaves a thinking block's text and signature with the provider that made them", () => {
    const messages = [
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I need the weather.", signature: "EqQBCgIYAhIM" },
          { type: "redacted_thinking", data: "EmwKAhgB" },
          { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Köln" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain" }] },
    ];
    const { text, losses } = translate({ ...plain, messages, tools: [weather] });
    assert.doesNotMatch(text, /EqQB|EmwK|I need/);
    assert.deepEqual(losses, ["reasoning"]);
    const kept = translate({ ...plain, messages, tools: [weather] }, { reasoningHistory: "reasoning_content" });
    assert.match(kept.text, /"reasoning_content":"I need the weather\."/);
    assert.doesNotMatch(kept.text, /EqQB|EmwK/);
  });

  test("asks for reasoning and structured output in the provider's own terms", () => {
    const effort = (fields: object, lacks: TargetFacts["lacks"] = []): unknown => {
      const { body, losses } = translate({ ...plain, max_tokens: 50_000, ...fields }, {}, lacks);
      return [body["reasoning_effort"], ...losses];
    };
    assert.deepEqual(effort({ thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } }), ["xhigh"]);
    assert.deepEqual(effort({ thinking: { type: "adaptive" } }), ["medium"]);
    assert.deepEqual(effort({ thinking: { type: "enabled", budget_tokens: 20_000 } }), [
      "high",
      "thinking.budget_tokens",
    ]);
    assert.deepEqual(effort({ thinking: { type: "disabled" } }), ["none"]);
    assert.deepEqual(effort({ thinking: { type: "disabled" } }, ["reasoning"]), [undefined]);
    const { body } = translate({ ...plain, output_config: { format: { type: "json_schema", schema } } });
    assert.deepEqual(body["response_format"], {
      type: "json_schema",
      json_schema: { name: "output", schema, strict: true },
    });
  });

  test("reports what it left out without changing the answer", () => {
    const { body, losses } = translate({
      ...plain,
      cache_control,
      system: [
        { type: "text", text: "x-anthropic-billing-header: cc_version=2.1; cch=36ee5;" },
        { type: "text", text: "Be brief.", cache_control: { ...cache_control, ttl: "1h" } },
      ],
      tools: [{ ...weather, cache_control, eager_input_streaming: true }],
      context_management: { edits: [{ type: "clear_tool_uses_20250919" }] },
      speed: "fast",
      thinking: { type: "adaptive", display: "summarized" },
    });
    assert.deepEqual((body["messages"] as unknown[])[0], { role: "system", content: "Be brief." });
    assert.deepEqual(losses.toSorted(), [
      "cache_control",
      "context_management",
      "speed",
      "thinking.display",
      "tools[].cache_control",
      "tools[].eager_input_streaming",
      "x-anthropic-billing-header",
    ]);
  });

  test("is refused, naming the field, where leaving the field out would change the answer", () => {
    const document = { type: "document", source: { type: "text", media_type: "text/plain", data: "d" } };
    const said = (block: object, role = "user"): object => ({
      messages: [
        { role, content: [block] },
        { role: "user", content: "Hi" },
      ],
    });
    const changes: [object, string][] = [
      [{ container: "c" }, "container"],
      [{ mcp_servers: [{ type: "url", url: "https://example.com", name: "a" }] }, "mcp_servers"],
      [{ inference_geo: "eu" }, "inference_geo"],
      [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools[0]"],
      [{ tools: [weather, { type: "bash_20250124", name: "bash" }] }, "tools[1]"],
      [{ tools: [{ ...weather, input_examples: [{ city: "Köln" }] }] }, "tools[0].input_examples"],
      [said({ ...document, citations: { enabled: true } }), "messages[0].content[0].citations.enabled"],
      [said({ ...document, context: "old" }), "messages[0].content[0].context"],
      [said({ type: "document", source: { type: "file", file_id: "file_1" } }), "messages"],
      [
        said({ type: "server_tool_use", id: "t", name: "web_search", input: {} }, "assistant"),
        "messages[0].content[0].type",
      ],
      [{ messages: [...plain.messages, { role: "assistant", content: "The answer is (" }] }, "messages"],
      [{ metadata: { team: "a" } }, "metadata.team"],
      [{ some_new_field: true }, "some_new_field"],
    ];
    for (const [change, param] of changes) refuses(change, param);
  });
});
