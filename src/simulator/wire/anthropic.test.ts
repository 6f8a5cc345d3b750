import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { hello, type Json, parseJson, weather } from "../../../test/support/simulator-calls.ts";
import { eventData, send, type Reply } from "../../../test/support/simulator-client.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { startSimulator, type Simulator } from "../simulator.ts";

const ANTHROPIC = { "x-api-key": "sk-ant-5678", "anthropic-version": "2023-06-01" };

let simulator: Simulator;
before(async () => {
  simulator = await startSimulator({ clock: createVirtualClock() }, { requireKey: true });
});
after(() => simulator[Symbol.asyncDispose]());

function messages(body: object, headers: Readonly<Record<string, string>> = ANTHROPIC): Promise<Reply> {
  return send(`${simulator.url}/v1/messages`, {
    headers,
    body: { model: "sim-claude", max_tokens: 4096, messages: hello, ...body },
  });
}

describe("Anthropic's wire", () => {
  test("usage keeps cache classes apart from input, and thinking inside output", async () => {
    const message = parseJson(
      (
        await messages({
          model: "sim-claude:tokens=10,reasoning=4,input=100,cache-read=30,cache-write=20,cache-write-1h=7",
        })
      ).text,
    );
    assert.match(message.id, /^msg_01[A-Za-z0-9]{22}$/);
    assert.deepEqual(message.usage, {
      input_tokens: 100,
      cache_creation_input_tokens: 27,
      cache_read_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 7 },
      output_tokens: 14,
      output_tokens_details: { thinking_tokens: 4 },
      service_tier: "standard",
    });
    assert.deepEqual(
      message.content.map((block: Json) => block.type),
      ["thinking", "text"],
    );
  });

  test("a stream's blocks open and close in order with contiguous indexes", async () => {
    const tools = [{ name: "get_weather", input_schema: weather }];
    const reply = await messages({ model: "sim-claude:tokens=2,reasoning=2,tools=2", stream: true, tools });
    const events = eventData(reply.text).map(parseJson);
    const shape = events.filter((event) => !event.type.endsWith("_delta") && event.type !== "ping");
    const blocks = ["thinking", "text", "tool_use", "tool_use"].flatMap((type, index) => [
      `start ${index} ${type}`,
      `stop ${index}`,
    ]);
    assert.deepEqual(
      shape.map((event) => {
        if (event.type === "content_block_start") return `start ${event.index} ${event.content_block.type}`;
        return event.type === "content_block_stop" ? `stop ${event.index}` : event.type;
      }),
      ["message_start", ...blocks, "message_stop"],
    );
    const delta = events.find((event) => event.type === "message_delta");
    assert.equal(delta.delta.stop_reason, "tool_use");
    assert.equal(delta.usage.output_tokens_details.thinking_tokens, 2);
    assert.match(reply.text, /^event: message_start\ndata: /);
    for (const index of [2, 3]) {
      const json = events
        .filter((event) => event.index === index && event.delta?.type === "input_json_delta")
        .map((event) => event.delta.partial_json);
      assert.equal(typeof parseJson(json.join("")).city, "string");
    }
  });

  test("a replayed thinking block must carry its text and signature unchanged", async () => {
    const first = parseJson((await messages({ thinking: { type: "adaptive" } })).text);
    const replay = (content: unknown): Promise<Reply> =>
      messages({ messages: [...hello, { role: "assistant", content }, { role: "user", content: "And then?" }] });
    assert.equal((await replay(first.content)).status, 200);
    const [thinking, ...rest] = first.content;
    for (const changed of [
      { ...thinking, thinking: `${thinking.thinking}!` },
      { ...thinking, signature: "other" },
    ]) {
      const refusal = await replay([changed, ...rest]);
      assert.equal(refusal.status, 400);
      assert.match(
        parseJson(refusal.text).error.message,
        /^messages\.1\.content\.0: Invalid `signature` in `thinking` block/,
      );
    }
  });

  test("structured output is a document of the schema", async () => {
    const message = parseJson(
      (await messages({ output_config: { format: { type: "json_schema", schema: weather } } })).text,
    );
    assert.deepEqual(Object.keys(parseJson(message.content[0].text)), ["city", "days"]);
  });

  test("what a tool returned is cited", async () => {
    const history = [
      ...hello,
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "get_weather", input: {} }] },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "Seven degrees" }] }],
      },
    ];
    assert.match(parseJson((await messages({ messages: history })).text).content[0].text, /Seven degrees/);
  });

  const refused = [
    {
      what: "no max_tokens",
      reply: () => messages({ max_tokens: undefined }),
      status: 400,
      type: "invalid_request_error",
    },
    {
      what: "no version header",
      reply: () => messages({}, { "x-api-key": "k" }),
      status: 400,
      type: "invalid_request_error",
    },
    {
      what: "no key",
      reply: () => messages({}, { "anthropic-version": "2023-06-01" }),
      status: 401,
      type: "authentication_error",
    },
    { what: "an unknown model", reply: () => messages({ model: "claude-0" }), status: 404, type: "not_found_error" },
    {
      what: "thinking with a forced tool",
      reply: () =>
        messages({
          thinking: { type: "adaptive" },
          tools: [{ name: "a", input_schema: weather }],
          tool_choice: { type: "any" },
        }),
      status: 400,
      type: "invalid_request_error",
    },
  ];
  for (const { what, reply, status, type } of refused) {
    test(`${what} is refused with ${status} ${type}`, async () => {
      const refusal = await reply();
      const body = parseJson(refusal.text);
      assert.equal(refusal.status, status);
      assert.equal(body.type, "error");
      assert.equal(body.error.type, type);
      assert.equal(body.request_id, refusal.headers["request-id"]);
    });
  }
});
