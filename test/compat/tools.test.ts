import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import type {
  ChatCompletion,
  ChatCompletionFunctionTool,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const weather: ChatCompletionFunctionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Says how the weather is.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 7 } },
      required: ["city", "days"],
    },
  },
};
const clock: ChatCompletionFunctionTool = { type: "function", function: { name: "get_time" } };
const tools = [weather, clock];
const messages: ChatCompletionMessageParam[] = [{ role: "user", content: "Weather and time in Köln, please." }];

function callsOf(completion: ChatCompletion): ChatCompletionMessageFunctionToolCall[] {
  return (completion.choices[0]?.message.tool_calls ?? []).filter((call) => call.type === "function");
}

describe("tools through the SDK", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      test("are called with arguments that fit their schema", async () => {
        const completion = await suite.client.chat.completions.create({
          model: upstream.scripted("tools=1"),
          messages,
          tools,
        });
        const [choice] = completion.choices;
        assert.deepEqual([choice?.finish_reason, choice?.message.content], ["tool_calls", null]);
        const [call, ...others] = callsOf(completion);
        assert.deepEqual(others, []);
        assert.match(call?.id ?? "", /^(call_|toolu_)\w+$/);
        assert.equal(call?.function.name, "get_weather");
        const { city, days } = JSON.parse(call?.function.arguments ?? "");
        assert.equal(typeof city, "string");
        assert.ok(Number.isInteger(days) && days >= 1 && days <= 7);
      });

      test("are called in parallel, with an id each and {} where a tool has no parameters", async () => {
        const completion = await suite.client.chat.completions.create({
          model: upstream.scripted("tools=4"),
          messages,
          tools,
        });
        const calls = callsOf(completion);
        assert.deepEqual(
          calls.map((call) => call.function.name),
          ["get_weather", "get_time", "get_weather", "get_time"],
        );
        assert.equal(new Set(calls.map(({ id }) => id)).size, 4);
        assert.equal(calls[1]?.function.arguments, "{}");
      });

      test("are called one at a time if the caller wants it so", async () => {
        const completion = await suite.client.chat.completions.create({
          model: upstream.scripted("tools=3"),
          messages,
          tools,
          parallel_tool_calls: false,
        });
        assert.equal(callsOf(completion).length, 1);
      });

      // With the script `tools=1` the model would call a tool if it were left to it.
      for (const [title, script, choice, wanted] of [
        ["are not called when the choice is none", "tools=1", "none", []],
        ["are called if the model wants it when the choice is auto", "tools=1", "auto", ["get_weather"]],
        ["are not called if the model does not want it when the choice is auto", "tools=0", "auto", []],
        ["must be called when the choice is required", "tools=0", "required", ["get_weather"]],
        ["are called by name", "tools=0", { type: "function", function: { name: "get_time" } }, ["get_time"]],
      ] as const) {
        test(title, async () => {
          const completion = await suite.client.chat.completions.create({
            model: upstream.scripted(script),
            messages,
            tools,
            tool_choice: choice,
          });
          assert.deepEqual(
            callsOf(completion).map((call) => call.function.name),
            wanted,
          );
          assert.equal(completion.choices[0]?.finish_reason, wanted.length > 0 ? "tool_calls" : "stop");
        });
      }

      test("stream their arguments: id and name first, then pieces that add up to the whole", async () => {
        const request = { model: upstream.scripted("tools=2,seed=4"), messages, tools };
        const whole = callsOf(await suite.client.chat.completions.create(request));
        const stream = await suite.client.chat.completions.create({ ...request, stream: true });
        const summed: { id: string; name: string; args: string }[] = [];
        for await (const { choices } of stream) {
          for (const { index, id, function: piece } of choices[0]?.delta.tool_calls ?? []) {
            if (id !== undefined) {
              assert.equal(index, summed.length, "calls begin in order");
              summed.push({ id, name: piece?.name ?? "", args: "" });
            }
            summed[index]!.args += piece?.arguments ?? "";
          }
        }
        assert.deepEqual(
          summed.map(({ name, args }) => [name, JSON.parse(args)]),
          whole.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
        );
        assert.equal(new Set(summed.map(({ id }) => id)).size, 2);
      });

      test("are summed up by the SDK's stream helper, which tells when each call is done", async () => {
        const stream = suite.client.chat.completions.stream({ model: upstream.scripted("tools=2"), messages, tools });
        const done: string[] = [];
        stream.on("tool_calls.function.arguments.done", ({ name, arguments: args }) => done.push(`${name} ${args}`));
        const completion = await stream.finalChatCompletion();
        assert.equal(completion.choices[0]?.finish_reason, "tool_calls");
        assert.deepEqual(
          callsOf(completion).map((call) => `${call.function.name} ${call.function.arguments}`),
          done,
        );
        assert.equal(done[1], "get_time {}");
      });

      test("get their results back over several turns", async () => {
        const history = [...messages];
        for (let turn = 1; turn <= 3; turn++) {
          const asked = await suite.client.chat.completions.create({
            model: upstream.scripted("tools=2"),
            messages: [...history, { role: "user", content: `Turn ${turn}` }],
            tools,
          });
          history.push({ role: "user", content: `Turn ${turn}` }, asked.choices[0]!.message);
          for (const call of callsOf(asked)) {
            history.push({ role: "tool", tool_call_id: call.id, content: `${call.function.name} ${turn}: Grüße` });
          }
          const answered = await suite.client.chat.completions.create({
            model: upstream.scripted("tools=2"),
            messages: history,
            tools,
          });
          const { content } = answered.choices[0]!.message;
          assert.match(content ?? "", new RegExp(`1 was: get_weather ${turn}: Grüße`));
          assert.match(content ?? "", new RegExp(`2 was: get_time ${turn}: Grüße`));
          history.push(answered.choices[0]!.message);
        }
        assert.equal(history.length, 1 + 3 * 5);
      });

      test("may have failed, or returned nothing, or parts of text", async () => {
        const asked = await suite.client.chat.completions.create({
          model: upstream.scripted("tools=3"),
          messages,
          tools,
        });
        const results = ['{"error":"no such city"}', "", [{ type: "text" as const, text: "in parts" }]];
        const answered = await suite.client.chat.completions.create({
          model: upstream.model,
          messages: [
            ...messages,
            asked.choices[0]!.message,
            ...callsOf(asked).map(({ id }, index) => ({
              role: "tool" as const,
              tool_call_id: id,
              content: results[index]!,
            })),
          ],
          tools,
        });
        const content = answered.choices[0]?.message.content ?? "";
        assert.match(content, /1 was: \{"error":"no such city"\}/);
        assert.match(content, /2 was: \(empty\)/);
        assert.match(content, /3 was: in parts/);
      });

      test("cut by the bound leave the reason length, not an error", async () => {
        const stream = suite.client.chat.completions.stream({
          model: upstream.model,
          messages,
          tools,
          tool_choice: "required",
          max_completion_tokens: 2,
        });
        const completion = await stream.finalChatCompletion();
        assert.equal(completion.choices[0]?.finish_reason, "length");
        assert.throws(() => JSON.parse(callsOf(completion)[0]?.function.arguments ?? ""), SyntaxError);
      });

      test("offered in no array are refused by name", async () => {
        await assert.rejects(
          suite.client.chat.completions.create({ model: upstream.model, messages, tools: {} as never }),
          (error) => error instanceof BadRequestError && error.param === "tools" && error.code === "invalid_value",
        );
      });
    });
  }

  testBooks(suite);
});
