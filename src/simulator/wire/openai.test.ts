import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { createChat, hello, type Json, openAiKey, parseJson, weather } from "../../../test/support/simulator-calls.ts";
import { eventData, send } from "../../../test/support/simulator-client.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { startSimulator, type Simulator } from "../simulator.ts";

let simulator: Simulator;
before(async () => {
  simulator = await startSimulator({ clock: createVirtualClock() }, { requireKey: true });
});
after(() => simulator[Symbol.asyncDispose]());
const chat = createChat(() => simulator);

describe("OpenAI's wire", () => {
  const client = (): OpenAI => new OpenAI({ apiKey: "sk-test-1234", baseURL: `${simulator.url}/v1`, maxRetries: 0 });

  test("a natural answer takes up what the user said and says that it is simulated", async () => {
    const completion = await client().chat.completions.create({ model: "sim-chat", messages: hello });
    const text = completion.choices[0]?.message.content ?? "";
    assert.match(text, /“Tell me of the river”/);
    assert.match(text, /simulator/);
    assert.match(completion.id, /^chatcmpl-[A-Za-z0-9]{29}$/);
    assert.equal(completion.choices[0]?.finish_reason, "stop");
    assert.equal(
      completion.usage?.total_tokens,
      (completion.usage?.prompt_tokens ?? 0) + (completion.usage?.completion_tokens ?? 0),
    );
  });

  test("reasoning is shown in a whole answer and in a stream only where the script says so", async () => {
    const shown = { model: "sim-chat:reasoning=4,tokens=2,reasoning-text" };
    const { message } = parseJson((await chat(shown)).text).choices[0];
    assert.equal(message.reasoning_content.split(" ").length, 4);
    const events = eventData((await chat({ ...shown, stream: true })).text).slice(0, -1);
    const streamed = events.map((data) => parseJson(data).choices[0]?.delta.reasoning_content ?? "").join("");
    assert.equal(streamed, message.reasoning_content);
    assert.doesNotMatch((await chat({ model: "sim-chat:reasoning=4,tokens=2" })).text, /reasoning_content/);
  });

  test("usage counts cached tokens inside the prompt and reasoning inside the completion", async () => {
    const { usage } = parseJson(
      (await chat({ model: "sim-chat:tokens=10,reasoning=4,input=100,cache-read=30,cache-write=20" })).text,
    );
    assert.deepEqual(usage, {
      prompt_tokens: 150,
      completion_tokens: 14,
      total_tokens: 164,
      prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 4,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    });
  });

  test("a stream gives the role first, one finish reason, usage only when asked for, and the marker last", async () => {
    const plain = eventData((await chat({ model: "sim-chat:tokens=3", stream: true })).text);
    assert.equal(plain.at(-1), "[DONE]");
    const chunks = plain.slice(0, -1).map(parseJson);
    assert.equal(chunks.length, 5);
    assert.deepEqual(chunks[0].choices[0].delta, { role: "assistant", content: "", refusal: null });
    assert.equal(chunks.filter((chunk) => chunk.choices[0].finish_reason !== null).length, 1);
    assert.ok(chunks.every((chunk) => !("usage" in chunk)));

    const counted = eventData(
      (await chat({ model: "sim-chat:tokens=3", stream: true, stream_options: { include_usage: true } })).text,
    );
    const [last, ...others] = counted.slice(0, -1).map(parseJson).toReversed();
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.completion_tokens, 3);
    assert.ok(others.every((chunk) => chunk.usage === null));
  });

  test("padding is added when asked for", async () => {
    const reply = await chat({
      model: "sim-chat:tokens=2",
      stream: true,
      stream_options: { include_obfuscation: true },
    });
    for (const data of eventData(reply.text).slice(0, -1)) assert.equal(typeof parseJson(data).obfuscation, "string");
  });

  test("the streamed text is the whole answer's text", async () => {
    const whole = parseJson((await chat({})).text).choices[0].message.content;
    const stream = await client().chat.completions.create({ model: "sim-chat", messages: hello, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    assert.equal(text, whole);
  });

  test("parallel tool calls arrive whole through the SDK, with arguments valid for their schema", async () => {
    const tools = ["get_weather", "get_forecast"].map((name) => ({
      type: "function" as const,
      function: { name, parameters: weather },
    }));
    const runner = client().chat.completions.stream({ model: "sim-chat:tools=2", messages: hello, tools });
    const message = (await runner.finalChatCompletion()).choices[0]?.message;
    assert.equal(message?.content, null);
    assert.equal(message?.tool_calls?.length, 2);
    assert.equal(new Set(message?.tool_calls?.map((call) => call.id)).size, 2);
    for (const call of message?.tool_calls ?? []) {
      assert.ok(call.type === "function");
      const input = parseJson(call.function.arguments);
      assert.equal(typeof input.city, "string");
      assert.ok(input.days >= 1);
    }
  });

  test("tools are called when the request forces it, and their results are cited afterwards", async () => {
    const tools = [{ type: "function", function: { name: "get_weather", parameters: weather } }];
    const forced = parseJson((await chat({ tools, tool_choice: "required" })).text).choices[0];
    assert.equal(forced.finish_reason, "tool_calls");
    const history = [
      ...hello,
      forced.message,
      { role: "tool", tool_call_id: forced.message.tool_calls[0].id, content: "Seven degrees" },
    ];
    const final = parseJson((await chat({ model: "sim-chat:tools=1", tools, messages: history })).text).choices[0];
    assert.match(final.message.content, /Seven degrees/);
    assert.equal(final.finish_reason, "stop");
  });

  test("structured output is a document of the schema", async () => {
    const response_format = { type: "json_schema", json_schema: { name: "weather", strict: true, schema: weather } };
    const value = parseJson(parseJson((await chat({ response_format })).text).choices[0].message.content);
    assert.deepEqual(Object.keys(value), ["city", "days"]);
  });

  test("several choices are counted together, and the token limit ends an answer with `length`", async () => {
    const completion = parseJson((await chat({ model: "sim-chat:tokens=50", n: 3, max_completion_tokens: 5 })).text);
    assert.deepEqual(
      completion.choices.map((choice: Json) => [choice.index, choice.finish_reason]),
      [
        [0, "length"],
        [1, "length"],
        [2, "length"],
      ],
    );
    assert.equal(completion.usage.completion_tokens, 15);
  });

  test("embeddings are unit vectors, equal for equal texts, in both encodings", async () => {
    const embed = client().embeddings;
    const { data, usage } = await embed.create({ model: "sim-embed", input: ["weir", "weir", "gate"], dimensions: 64 });
    const floats = await embed.create({ model: "sim-embed", input: "weir", dimensions: 64, encoding_format: "float" });
    assert.deepEqual(data[0]?.embedding, data[1]?.embedding);
    assert.notDeepEqual(data[0]?.embedding, data[2]?.embedding);
    assert.deepEqual(Array.from(data[0]?.embedding ?? []), floats.data[0]?.embedding);
    const length = Math.hypot(...(data[0]?.embedding ?? []));
    assert.ok(Math.abs(length - 1) < 1e-6);
    assert.equal(usage.prompt_tokens, 3);
  });

  test("embeddings of texts are the nearer the more words they share", async () => {
    const input = ["How do I reset my password?", "how do I RESET my old password", "Tell me about the moon"];
    const { data } = await client().embeddings.create({ model: "sim-embed", input });
    const [asked, alike, other] = data.map(({ embedding }) => embedding);
    const cosine = (a: readonly number[] = [], b: readonly number[] = []): number =>
      a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
    assert.ok(cosine(asked, alike) > 0.85, String(cosine(asked, alike)));
    assert.ok(Math.abs(cosine(asked, other)) < 0.3, String(cosine(asked, other)));
  });

  test("models are listed and found, with a script too", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list()) ids.push(model.id);
    assert.deepEqual(ids, ["sim-chat", "sim-mini", "sim-claude", "sim-embed"]);
    assert.equal((await client().models.retrieve("sim-chat:tokens=5")).id, "sim-chat");
    await assert.rejects(async () => client().models.retrieve("gpt"), OpenAI.NotFoundError);
  });

  const embeddings = (body: unknown): ReturnType<typeof send> =>
    send(`${simulator.url}/v1/embeddings`, { headers: openAiKey, body });
  const refused = [
    { what: "a missing key", reply: () => chat({}, {}), status: 401, code: "missing_api_key" },
    {
      what: "a model list without a key",
      reply: () => send(`${simulator.url}/v1/models`),
      status: 401,
      code: "missing_api_key",
    },
    { what: "an unknown model", reply: () => chat({ model: "gpt-9" }), status: 404, code: "model_not_found" },
    { what: "an embedding model", reply: () => chat({ model: "sim-embed" }), status: 404, code: "model_not_found" },
    {
      what: "an unreadable script",
      reply: () => chat({ model: "sim-chat:speed=9" }),
      status: 400,
      code: "invalid_script",
    },
    {
      what: "missing messages",
      reply: () => chat({ messages: undefined }),
      status: 400,
      code: "missing_required_parameter",
    },
    {
      what: "a 1h cache write, which this API cannot report",
      reply: () => chat({ model: "sim-chat:cache-write-1h=1" }),
      status: 400,
      code: "invalid_script",
    },
    {
      what: "a cache read of an embedding, which nobody reports",
      reply: () => embeddings({ model: "sim-embed:cache-read=1", input: "Hi" }),
      status: 400,
      code: "invalid_script",
    },
    {
      what: "a cache write of an embedding",
      reply: () => embeddings({ model: "sim-embed:cache-write=1", input: "Hi" }),
      status: 400,
      code: "invalid_script",
    },
    {
      what: "an unknown path",
      reply: () => send(`${simulator.url}/v1/nothing`, { headers: openAiKey }),
      status: 404,
      code: "unknown_url",
    },
    {
      what: "another method",
      reply: () => send(`${simulator.url}/v1/chat/completions`, { headers: openAiKey }),
      status: 405,
      code: "method_not_allowed",
    },
  ];
  for (const { what, reply, status, code } of refused) {
    test(`${what} is refused with ${status} and code ${code}`, async () => {
      const refusal = await reply();
      assert.equal(refusal.status, status);
      const { error } = parseJson(refusal.text);
      assert.equal(error.code, code);
      assert.deepEqual(Object.keys(error), ["message", "type", "param", "code"]);
    });
  }
});
