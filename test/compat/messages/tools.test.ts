import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, textOf, upstreams } from "./suite.ts";

const weather: Anthropic.Tool = {
  name: "get_weather",
  description: "Says how the weather is.",
  input_schema: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 7 } },
    required: ["city", "days"],
  },
};
const clock: Anthropic.Tool = { name: "get_time", input_schema: { type: "object" } };
const tools = [weather, clock];
const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Weather and time in Köln, please." }];
const max_tokens = 500;

function callsOf({ content }: Anthropic.Message): Anthropic.ToolUseBlock[] {
  return content.filter((block) => block.type === "tool_use");
}

function resultOf({ id }: Anthropic.ToolUseBlock, content: string, is_error = false): Anthropic.ToolResultBlockParam {
  return { type: "tool_result", tool_use_id: id, content, ...(is_error ? { is_error } : {}) };
}

describe("tools through Anthropic's SDK", () => {
  const suite = openMessagesSuite();

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      test("are called with input that fits their schema", async () => {
        const model = upstream.scripted("tools=1");
        const message = await suite.anthropic.messages.create({ model, max_tokens, messages, tools });
        assert.equal(message.stop_reason, "tool_use");
        const [call, ...others] = callsOf(message);
        assert.deepEqual(others, []);
        assert.match(call?.id ?? "", /^[\w-]+$/);
        assert.equal(call?.name, "get_weather");
        const { city, days } = call.input as { city: unknown; days: unknown };
        assert.equal(typeof city, "string");
        assert.ok(typeof days === "number" && days >= 1 && days <= 7);
      });

      test("are called in parallel, with an id each, streamed or not", async () => {
        const request = { model: upstream.scripted("tools=4,seed=4"), max_tokens, messages, tools };
        const whole = callsOf(await suite.anthropic.messages.create(request));
        const streamed = callsOf(await suite.anthropic.messages.stream(request).finalMessage());
        for (const calls of [whole, streamed]) {
          assert.deepEqual(
            calls.map(({ name }) => name),
            ["get_weather", "get_time", "get_weather", "get_time"],
          );
          assert.equal(new Set(calls.map(({ id }) => id)).size, 4);
          assert.deepEqual(calls[1]?.input, {});
        }
        assert.deepEqual(
          streamed.map(({ input }) => input),
          whole.map(({ input }) => input),
        );
      });

      test("are called one at a time if the caller wants it so", async () => {
        const message = await suite.anthropic.messages.create({
          model: upstream.scripted("tools=3"),
          max_tokens,
          messages,
          tools,
          tool_choice: { type: "auto", disable_parallel_tool_use: true },
        });
        assert.equal(callsOf(message).length, 1);
      });

      // With the script `tools=1` the model would call a tool if it were left to it.
      for (const [title, script, tool_choice, wanted] of [
        ["are not called when the choice is none", "tools=1", { type: "none" }, []],
        ["are called if the model wants it when the choice is auto", "tools=1", { type: "auto" }, ["get_weather"]],
        ["must be called when the choice is any", "tools=0", { type: "any" }, ["get_weather"]],
        ["are called by name", "tools=0", { type: "tool", name: "get_time" }, ["get_time"]],
      ] as const) {
        test(title, async () => {
          const model = upstream.scripted(script);
          const message = await suite.anthropic.messages.create({ model, max_tokens, messages, tools, tool_choice });
          assert.deepEqual(
            callsOf(message).map(({ name }) => name),
            wanted,
          );
          assert.equal(message.stop_reason, wanted.length > 0 ? "tool_use" : "end_turn");
        });
      }

      test("get their results back over several turns", async () => {
        const history = [...messages];
        for (let turn = 1; turn <= 3; turn++) {
          history.push({ role: "user", content: `Turn ${turn}` });
          const model = upstream.scripted("tools=2");
          const asked = await suite.anthropic.messages.create({ model, max_tokens, messages: history, tools });
          const calls = callsOf(asked);
          history.push({ role: "assistant", content: asked.content });
          history.push({
            role: "user",
            content: calls.map((call, index) => resultOf(call, `result ${turn}.${index}`, index === 1)),
          });
          const answered = await suite.anthropic.messages.create({ model, max_tokens, messages: history, tools });
          assert.equal(answered.stop_reason, "end_turn");
          assert.match(textOf(answered), new RegExp(`result ${turn}\\.0`));
          assert.match(textOf(answered), new RegExp(`result ${turn}\\.1`));
          history.push({ role: "assistant", content: answered.content });
        }
      });

      for (const stream of [false, true]) {
        test(`are run by the SDK's own runner${stream ? ", streaming" : ""}`, async () => {
          const asked: string[] = [];
          const lookUp = betaTool({
            name: "look_up",
            description: "Looks a row up.",
            inputSchema: { type: "object", properties: { row: { type: "integer" } }, required: ["row"] },
            run: ({ row }) => {
              asked.push(`row ${row}`);
              return `found ${row}`;
            },
          });
          const runner = suite.anthropic.beta.messages.toolRunner({
            model: upstream.scripted("tools=1"),
            max_tokens,
            messages: [{ role: "user", content: "Look it up." }],
            tools: [lookUp],
            stream,
          });
          const message = await runner.runUntilDone();
          assert.equal(asked.length, 1);
          const text = message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
          assert.match(text, /found \d/);
        });
      }
    });
  }

  testBooks(suite);
});
