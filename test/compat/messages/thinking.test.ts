import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError, type Anthropic } from "@anthropic-ai/sdk";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, textOf, upstreams } from "./suite.ts";

const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Think about the tide." }];
const tools: Anthropic.Tool[] = [{ name: "look_at_the_sea", input_schema: { type: "object" } }];
const thinking: Anthropic.ThinkingConfigParam = { type: "enabled", budget_tokens: 1_024 };
const max_tokens = 4_000;

function thoughtOf({ content }: Anthropic.Message): Anthropic.ThinkingBlock | undefined {
  return content.find((block) => block.type === "thinking");
}

describe("thinking through Anthropic's SDK", () => {
  const suite = openMessagesSuite();
  const [chat, claude] = upstreams as [(typeof upstreams)[number], (typeof upstreams)[number]];

  async function ask(model: string, history: Anthropic.MessageParam[], stream = false) {
    const request = { model, max_tokens, messages: history, tools, thinking };
    const pending = suite.anthropic.messages.create(request).withResponse();
    if (!stream) return pending;
    await pending;
    const streamed = suite.anthropic.messages.stream(request);
    return { data: await streamed.finalMessage(), response: (await streamed.withResponse()).response };
  }

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      test("is shown before the answer, never in it, streamed or not, and counted", async () => {
        const model = upstream.scripted("reasoning=12,reasoning-text,tokens=6,seed=9");
        const { data: whole } = await ask(model, messages);
        assert.deepEqual(
          whole.content.map(({ type }) => type),
          ["thinking", "text"],
        );
        assert.equal(thoughtOf(whole)?.thinking.split(" ").length, 12);
        assert.equal(textOf(whole).split(" ").length, 6);
        assert.equal(whole.usage.output_tokens, 18);
        assert.equal(whole.usage.output_tokens_details?.thinking_tokens, 12);
        const { data: streamed } = await ask(model, messages, true);
        assert.deepEqual(streamed.content, whole.content);
      });

      for (const stream of [false, true]) {
        test(`comes back through a tool loop as it was given (${stream ? "streamed" : "whole answers"})`, async () => {
          const model = upstream.scripted("reasoning=12,reasoning-text,tools=1");
          const history = [...messages];
          for (let turn = 0; turn < 2; turn++) {
            const { data: asked } = await ask(model, history, stream);
            const call = asked.content.find((block) => block.type === "tool_use");
            assert.ok(call !== undefined && thoughtOf(asked) !== undefined);
            const result = { type: "tool_result" as const, tool_use_id: call.id, content: `tide ${turn}` };
            history.push({ role: "assistant", content: asked.content }, { role: "user", content: [result] });
            const { data: answered, response } = await ask(model, history, stream);
            assert.match(textOf(answered), new RegExp(`Tool result 1 was: tide ${turn}`));
            // OpenAI's API takes no reasoning back: it is left out there, and said so.
            assert.equal(response.headers.get("x-headgate-dropped")?.includes("reasoning") ?? false, !upstream.native);
            history.push({ role: "assistant", content: answered.content }, { role: "user", content: "And now?" });
          }
        });
      }
    });
  }

  for (const [from, to] of [
    [chat, claude],
    [claude, chat],
  ] as const) {
    test(`of ${from.title} is left out where ${to.title} goes on, and said so`, async () => {
      const { data: thought } = await ask(from.scripted("reasoning=5,reasoning-text,tokens=3"), messages);
      assert.ok(thoughtOf(thought) !== undefined);
      const history = [
        ...messages,
        { role: "assistant" as const, content: thought.content },
        { role: "user" as const, content: "Go on." },
      ];
      const { data, response } = await ask(to.model, history);
      assert.match(textOf(data), /You said: “Go on\.”/);
      assert.match(response.headers.get("x-headgate-dropped") ?? "", /reasoning/);
    });
  }

  test("a signature that does not fit its thinking is refused by the provider that made it", async () => {
    const model = claude.scripted("reasoning=5,tools=1");
    const { data: asked } = await ask(model, messages);
    const forged = asked.content.map((block) => (block.type === "thinking" ? { ...block, thinking: "other" } : block));
    const call = asked.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result" as const, tool_use_id: call?.id ?? "" };
    const history = [
      ...messages,
      { role: "assistant" as const, content: forged },
      { role: "user" as const, content: [result] },
    ];
    await assert.rejects(
      ask(model, history),
      (error) => error instanceof BadRequestError && /Invalid `signature` in `thinking`/.test(error.message),
    );
  });

  testBooks(suite);
});
