import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { zodFunction } from "openai/helpers/zod";
import { z } from "zod";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "What grows where?" }];
const place = z.object({ field: z.enum(["north", "south"]), row: z.number().int().min(1).max(9) });
type Place = z.infer<typeof place>;

describe("the SDK's tool runner", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`with ${upstream.title}`, () => {
      test("runs the tools that are asked for and ends with an answer about their results", async () => {
        const calls: Place[] = [];
        const lookUp = zodFunction({
          name: "look_up",
          parameters: place,
          function(asked) {
            calls.push(asked);
            return { crop: "oats", ...asked };
          },
        });
        const runner = suite.client.chat.completions.runTools({
          model: upstream.scripted("tools=2"),
          messages,
          tools: [lookUp],
        });
        const content = await runner.finalContent();
        assert.equal(calls.length, 2);
        for (const call of calls) place.parse(call);
        for (const call of calls)
          assert.ok(content?.includes(JSON.stringify({ crop: "oats", ...call })), content ?? "");
        assert.deepEqual(
          runner.messages.map(({ role }) => role),
          ["user", "assistant", "tool", "tool", "assistant"],
        );
        const completions = runner.allChatCompletions();
        assert.equal(completions.length, 2);
        const total = completions.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0);
        assert.equal((await runner.totalUsage()).total_tokens, total);
      });

      test("streams, and hears of every call and result on the way", async () => {
        const heard: string[] = [];
        const runner = suite.client.chat.completions.runTools({
          stream: true,
          model: upstream.scripted("tools=1"),
          messages,
          tools: [zodFunction({ name: "look_up", parameters: place, function: ({ row }) => `row ${row}` })],
        });
        runner.on("functionToolCall", ({ name }) => heard.push(`call ${name}`));
        runner.on("functionToolCallResult", (result) => heard.push(result));
        const content = await runner.finalContent();
        assert.equal(heard.length, 2);
        assert.equal(heard[0], "call look_up");
        assert.match(heard[1] ?? "", /^row [1-9]$/);
        assert.ok(content?.includes(`Tool result 1 was: ${heard[1]}`), content ?? "");
      });

      test("goes on when a tool says what was wrong with its arguments", async () => {
        const runner = suite.client.chat.completions.runTools({
          model: upstream.scripted("tools=1"),
          messages,
          tools: [
            {
              type: "function",
              function: {
                name: "divide",
                description: "Divides twelve.",
                parameters: { type: "object", properties: { by: { type: "integer" } }, required: ["by"] },
                parse: () => {
                  throw new RangeError("by must not be zero");
                },
                function: () => assert.fail("the tool must not run"),
              },
            },
          ],
        });
        assert.match((await runner.finalContent()) ?? "", /Tool result 1 was: by must not be zero/);
      });

      test("ends with the one tool that the choice names", async () => {
        const asked: string[] = [];
        const runner = suite.client.chat.completions.runTools({
          model: upstream.model,
          messages,
          tool_choice: { type: "function", function: { name: "note" } },
          tools: [
            zodFunction({ name: "look_up", parameters: place, function: () => "" }),
            zodFunction({
              name: "note",
              parameters: z.object({ text: z.string() }),
              function: ({ text }) => void asked.push(text),
            }),
          ],
        });
        await runner.done();
        assert.equal(asked.length, 1);
        assert.equal(runner.allChatCompletions().length, 1);
      });
    });
  }

  testBooks(suite);
});
