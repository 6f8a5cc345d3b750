import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { HeadgateError } from "../../src/kernel/errors.ts";
import { collect, translateAnswer, translateRequest, translateStream } from "./translation.ts";

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Says the weather.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const plain = { model: "m", messages: [{ role: "user", content: "Hi" }] };
const streaming = { ...plain, stream: true, stream_options: { include_usage: true } };

function fixture(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, "../../src/dialects/anthropic-messages/fixtures", `${name}.sse`));
}

function refuses(change: Record<string, unknown>, param: string): void {
  assert.throws(
    () => translateRequest({ ...plain, ...change }),
    (thrown) => thrown instanceof HeadgateError && thrown.status === 400 && thrown.param === param,
    param,
  );
}

describe("an OpenAI request to an Anthropic model", () => {
  test("keeps every digit of the numbers in the schemas of tools and output", () => {
    const schema = '{"type":"object","properties":{"id":{"maximum":9223372036854775807}}}';
    const tool = `{"type":"function","function":{"name":"f","parameters":${schema}}}`;
    const format = `{"type":"json_schema","json_schema":{"name":"a","schema":${schema}}}`;
    const { text } = translateRequest(
      `{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[${tool}],"response_format":${format}}`,
    );
    assert.ok(text.includes(`"input_schema":${schema}`));
    assert.ok(text.includes(`"schema":${schema}`));
  });

  test("is refused for a member that has no place, however deep it stands", () => {
    const content = [{ type: "text", text: "Hi", mood: "good" }];
    refuses({ messages: [{ role: "user", content }] }, "messages[0].content[0].mood");
    refuses(
      { tools: [weather], tool_choice: { type: "function", function: { name: "get_weather" }, k: 1 } },
      "tool_choice.k",
    );
    refuses(
      { response_format: { type: "json_schema", json_schema: { name: "a" } } },
      "response_format.json_schema.schema",
    );
  });

  test("arrives with system text, media, tools, bounds and sampling in their places", () => {
    const { body, losses } = translateRequest({
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "developer",
          content: [{ type: "text", text: "Be kind.", cache_control: { type: "ephemeral", ttl: "1h" } }],
        },
        {
          role: "user",
          content: [
            { type: "text", text: "Wie wird's in Köln? 🌍" },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBO", detail: "auto" } },
            { type: "image_url", image_url: { url: "https://example.com/a.jpg" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" } },
          ],
        },
      ],
      tools: [weather, { type: "function", function: { name: "get_time" } }],
      tool_choice: "required",
      parallel_tool_calls: false,
      max_completion_tokens: 500,
      temperature: 0.3,
      top_p: 0.9,
      stop: "END",
      user: "user-7",
    });
    assert.deepEqual(body, {
      model: "claude-opus-4-8",
      max_tokens: 500,
      system: [
        { type: "text", text: "Be brief." },
        { type: "text", text: "Be kind.", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Wie wird's in Köln? 🌍" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } },
            { type: "image", source: { type: "url", url: "https://example.com/a.jpg" } },
            {
              type: "document",
              source: { type: "base64", media_type: "application/pdf", data: "JVBE" },
              title: "a.pdf",
            },
          ],
        },
      ],
      tools: [
        {
          name: "get_weather",
          description: "Says the weather.",
          input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
        { name: "get_time", input_schema: { type: "object" } },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      temperature: 0.3,
      top_p: 0.9,
      stop_sequences: ["END"],
      metadata: { user_id: "user-7" },
      stream: true,
    });
    assert.deepEqual(losses, []);
  });

  test("asks for structured output and reasoning in the provider's own terms", () => {
    const schema = {
      type: "object",
      properties: { a: { type: "integer" } },
      required: ["a"],
      additionalProperties: false,
    };
    const { body, losses } = translateRequest({
      ...plain,
      reasoning_effort: "high",
      response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
    });
    assert.deepEqual(body["thinking"], { type: "adaptive" });
    assert.deepEqual(body["output_config"], { effort: "high", format: { type: "json_schema", schema } });
    assert.deepEqual(losses, ["response_format.json_schema.name"]);
  });

  test("thinks by budget on models that know no effort, within the caller's own bound", () => {
    const request = { ...plain, reasoning_effort: "medium", max_completion_tokens: 4_096 };
    const { body } = translateRequest(request, "claude-haiku-4-5");
    assert.deepEqual([body["thinking"], body["max_tokens"]], [{ type: "enabled", budget_tokens: 2_048 }, 4_096]);
    assert.equal(body["output_config"], undefined);
  });

  test("keeps system text in the middle of a conversation where it was said, and says so", () => {
    const messages = [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "system", content: "Now in German." },
      { role: "user", content: "c" },
    ];
    const { body, losses } = translateRequest({ model: "m", messages });
    assert.equal(body["system"], undefined);
    assert.deepEqual((body["messages"] as unknown[]).at(-1), {
      role: "user",
      content: [
        { type: "text", text: "<system>\nNow in German.\n</system>" },
        { type: "text", text: "c" },
      ],
    });
    assert.deepEqual(losses, ["messages.role=system"]);
  });

  test("merges parallel tool results into one user turn that begins with them", () => {
    const call = (id: string, args: string): unknown => ({
      id,
      type: "function",
      function: { name: "get_weather", arguments: args },
    });
    const { body } = translateRequest({
      model: "m",
      tools: [weather],
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: null, tool_calls: [call("call_1", '{"city":"Köln"}'), call("call_2", "")] },
        { role: "tool", tool_call_id: "call_1", content: "rain" },
        { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "no city" }] },
        { role: "user", content: "and?" },
      ],
    });
    assert.deepEqual((body["messages"] as unknown[]).slice(1), [
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "call_1", name: "get_weather", input: { city: "Köln" } },
          { type: "tool_use", id: "call_2", name: "get_weather", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: [{ type: "text", text: "rain" }] },
          { type: "tool_result", tool_use_id: "call_2", content: [{ type: "text", text: "no city" }] },
          { type: "text", text: "and?" },
        ],
      },
    ]);
  });

  test("is refused, naming the field, where leaving the field out would change the answer", () => {
    const changes: [Record<string, unknown>, string][] = [
      [{ n: 2 }, "n"],
      [{ logprobs: true }, "logprobs"],
      [{ logit_bias: { "1": 5 } }, "logit_bias"],
      [{ presence_penalty: 1 }, "presence_penalty"],
      [{ frequency_penalty: 1 }, "frequency_penalty"],
      [{ temperature: 1.5 }, "temperature"],
      [{ stop: ["\n"] }, "stop"],
      [{ verbosity: "low" }, "verbosity"],
      [{ web_search_options: {} }, "web_search_options"],
      [{ service_tier: "flex" }, "service_tier"],
      [{ response_format: { type: "json_object" } }, "response_format"],
      [{ tools: [weather], tool_choice: "required", reasoning_effort: "low" }, "tool_choice"],
      [{ tools: [{ type: "custom", custom: { name: "x" } }] }, "tools[0]"],
      [{ some_new_field: true }, "some_new_field"],
    ];
    for (const [change, param] of changes) refuses(change, param);
  });

  test("reports what it left out without changing the answer", () => {
    const { losses } = translateRequest({
      ...plain,
      seed: 1,
      store: true,
      metadata: { a: "b" },
      prompt_cache_key: "k",
      n: 1,
    });
    assert.deepEqual(losses.toSorted(), ["metadata", "prompt_cache_key", "seed", "store"]);
  });
});

describe("an Anthropic answer to an OpenAI caller", () => {
  const { view } = translateRequest(streaming);

  test("streams text, one finish reason, usage only at the end, and the terminal marker", () => {
    const { bytes, last } = translateStream(fixture("text"), view);
    const { message, finish, usage, done } = collect(bytes);
    assert.deepEqual(
      [message, finish, done, last],
      [{ role: "assistant", content: "Grüße, 世界 🌍" }, "stop", true, "end"],
    );
    assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens], [12, 9, 21]);
    assert.equal(bytes.match(/"finish_reason":"/g)?.length, 1);
    assert.match(bytes.split("\n\n").at(-3) ?? "", /"choices":\[\],"usage":\{/);
  });

  test("is the same however the provider's bytes are cut", () => {
    for (const name of ["text", "parallel-tools", "opaque-thinking", "pings-and-unknowns"]) {
      const whole = translateStream(fixture(name), view).bytes;
      for (const chunkBytes of [1, 7, 100]) assert.equal(translateStream(fixture(name), view, chunkBytes).bytes, whole);
    }
  });

  test("streams parallel tool calls with ids once and whole arguments", () => {
    const { message, finish } = collect(translateStream(fixture("parallel-tools"), view).bytes);
    assert.equal(message.content, "Looking.");
    assert.deepEqual(message.tool_calls, [
      { id: "toolu_A", type: "function", function: { name: "get_weather", arguments: '{"city":"Köln"}' } },
      { id: "toolu_B", type: "function", function: { name: "get_time", arguments: "{}" } },
      { id: "toolu_C", type: "function", function: { name: "get_news", arguments: '{"topic":"rivers"}' } },
    ]);
    assert.equal(finish, "tool_calls");
  });

  test("counts cached input inside the prompt, as OpenAI does", () => {
    const { usage } = collect(translateStream(fixture("cache-usage"), view).bytes);
    assert.equal(usage?.prompt_tokens, 25 + 310);
    assert.equal(usage?.prompt_tokens_details?.cached_tokens, 0);
    assert.equal(usage?.prompt_tokens_details?.cache_write_tokens, 310);
  });

  test("says content_filter for a refusal, with the provider's explanation as the refusal", () => {
    const { message, finish } = collect(translateStream(fixture("refusal"), view).bytes);
    assert.deepEqual(
      [message.content, message.refusal, finish],
      ["I can", "This request could enable harm.", "content_filter"],
    );
  });

  test("says length where the limit cut a tool call, and leaves its arguments cut", () => {
    const { message, finish } = collect(translateStream(fixture("cut-tool"), view).bytes);
    assert.deepEqual([message.tool_calls?.[0]?.function.arguments, finish], ['{"text":"once upon', "length"]);
  });

  test("never shows reasoning or unknown blocks as the answer's text", () => {
    const thought = collect(translateStream(fixture("thinking-tool"), view).bytes).message;
    assert.deepEqual([thought.content, thought.reasoning_content], [null, "I need the weather."]);
    assert.equal(collect(translateStream(fixture("pings-and-unknowns"), view).bytes).message.content, "Seen.");
  });

  test("ends a broken stream with an error and without the marker of a complete one", () => {
    const { bytes, last } = translateStream(fixture("error-midstream"), view);
    assert.equal(last, "error");
    assert.match(bytes, /"error":\{"message":"Overloaded"/);
    assert.doesNotMatch(bytes, /\[DONE\]|"finish_reason":"/);
    assert.doesNotMatch(translateStream(fixture("truncated"), view).bytes, /\[DONE\]|"finish_reason":"/);
  });

  test("comes whole with text, calls, reasoning and usage in OpenAI's places", () => {
    const answer = translateAnswer(
      {
        id: "msg_01",
        type: "message",
        role: "assistant",
        model: "claude-opus-4-8",
        content: [
          { type: "thinking", thinking: "Hm.", signature: "c2ln" },
          { type: "text", text: "Looking" },
          { type: "text", text: " now." },
          { type: "tool_use", id: "toolu_A", name: "get_weather", input: { city: "Köln" } },
        ],
        stop_reason: "tool_use",
        stop_sequence: null,
        usage: {
          input_tokens: 5,
          cache_read_input_tokens: 7,
          output_tokens: 11,
          output_tokens_details: { thinking_tokens: 4 },
        },
      },
      view,
    );
    const choice = answer.choices[0]!;
    assert.equal(choice.finish_reason, "tool_calls");
    assert.equal(choice.message.content, "Looking now.");
    assert.equal(choice.message.reasoning_content, "Hm.");
    assert.deepEqual(choice.message.tool_calls, [
      { id: "toolu_A", type: "function", function: { name: "get_weather", arguments: '{"city":"Köln"}' } },
    ]);
    assert.deepEqual(
      [answer.id, answer.model, answer.object],
      ["chatcmpl-msg_01", "claude-opus-4-8", "chat.completion"],
    );
    assert.equal(answer.usage?.prompt_tokens, 12);
    assert.equal(answer.usage?.prompt_tokens_details?.cached_tokens, 7);
    assert.equal(answer.usage?.completion_tokens, 11);
    assert.equal(answer.usage?.completion_tokens_details?.reasoning_tokens, 4);
  });
});

describe("a tool loop through chat completions", () => {
  const first = { ...streaming, tools: [weather], reasoning_effort: "high" };
  const { view } = translateRequest(first);

  function answerBlocks(
    assistant: unknown,
    model?: string,
  ): { blocks: unknown; thinking: unknown; losses: readonly string[] } {
    const messages = [...first.messages, assistant, { role: "tool", tool_call_id: "toolu_A", content: "rain" }];
    const { body, losses } = translateRequest({ ...first, messages }, model);
    return { blocks: (body["messages"] as { content: unknown }[])[1]?.content, thinking: body["thinking"], losses };
  }

  const expected = [
    { type: "thinking", thinking: "I need the weather.", signature: "EqQBCgIYAhIM+/sig==" },
    { type: "tool_use", id: "toolu_A", name: "get_weather", input: { city: "Köln" } },
  ];

  test("returns streamed thinking to the provider unmodified, signature included", () => {
    const { message } = collect(translateStream(fixture("thinking-tool"), view).bytes);
    assert.deepEqual(answerBlocks(message), { blocks: expected, thinking: { type: "adaptive" }, losses: [] });
  });

  test("returns the thinking of a whole answer unmodified, redacted and signature-only blocks included", () => {
    const content = [
      { type: "thinking", thinking: "I need the weather.", signature: "EqQBCgIYAhIM+/sig==" },
      { type: "thinking", thinking: "", signature: "c2lnLW9ubHk=" },
      { type: "redacted_thinking", data: "EmwKAhgBEgy3va3p" },
      { type: "tool_use", id: "toolu_A", name: "get_weather", input: { city: "Köln" } },
    ];
    const whole = { id: "m", type: "message", model: "c", content, stop_reason: "tool_use", usage: {} };
    const { message } = translateAnswer(whole, view).choices[0]!;
    assert.deepEqual(answerBlocks(message).blocks, content);
  });

  test("returns streamed signature-only and redacted blocks in their order", () => {
    const { message } = collect(translateStream(fixture("opaque-thinking"), view).bytes);
    assert.deepEqual(answerBlocks(message).blocks, [
      { type: "thinking", thinking: "", signature: "c2lnLW9ubHk=" },
      { type: "redacted_thinking", data: "EmwKAhgBEgy3va3p" },
      { type: "text", text: "Done." },
    ]);
  });

  test("goes on without thinking, and reports it, where a caller drops the state and the model insists on it", () => {
    const { message } = collect(translateStream(fixture("thinking-tool"), view).bytes);
    const { reasoning_details: _dropped, ...bare } = message;
    const { blocks, thinking, losses } = answerBlocks(bare, "claude-haiku-4-5");
    assert.deepEqual(blocks, expected.slice(1));
    assert.equal(thinking, undefined);
    assert.deepEqual(losses, ["reasoning", "reasoning_effort"]);
  });
});
