import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import type {
  ChatCompletionFunctionTool,
  ChatCompletionMessage,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

/** What the SDK's types do not know of a message: vendors' fields, which it passes on. */
interface Reasoned extends ChatCompletionMessage {
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly { readonly text?: string; readonly signature?: string }[];
}

const messages: ChatCompletionMessageParam[] = [{ role: "user", content: "Think about the tide." }];
const tools: ChatCompletionFunctionTool[] = [{ type: "function", function: { name: "look_at_the_sea" } }];

describe("reasoning and usage through the SDK", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      test("count reasoning as a part of the completion", async () => {
        const completion = await suite.client.chat.completions.create({
          model: upstream.scripted("reasoning=20,tokens=10"),
          messages,
          reasoning_effort: "medium",
        });
        assert.equal(completion.usage?.completion_tokens, 30);
        assert.equal(completion.usage.completion_tokens_details?.reasoning_tokens, 20);
      });

      test("show reasoning beside the answer, never in it, streamed or not", async () => {
        const request = { model: upstream.scripted("reasoning=12,reasoning-text,tokens=6,seed=9"), messages };
        const whole = (await suite.client.chat.completions.create(request)).choices[0]!.message as Reasoned;
        assert.equal(whole.reasoning_content?.split(" ").length, 12);
        assert.equal(whole.content?.split(" ").length, 6);
        let reasoning = "";
        let content = "";
        for await (const { choices } of await suite.client.chat.completions.create({ ...request, stream: true })) {
          const delta: { reasoning_content?: string; content?: string | null } = choices[0]?.delta ?? {};
          assert.ok(!delta.reasoning_content || content === "", "reasoning comes before the answer");
          reasoning += delta.reasoning_content ?? "";
          content += delta.content ?? "";
        }
        assert.deepEqual([reasoning, content], [whole.reasoning_content, whole.content]);
      });

      for (const stream of [false, true]) {
        test(`keep the provider's state through a tool loop (${stream ? "streamed" : "whole answers"})`, async () => {
          const ask = async (history: ChatCompletionMessageParam[]): Promise<Reasoned> => {
            const request = {
              model: upstream.scripted("reasoning=12,reasoning-text,tools=1"),
              messages: history,
              tools,
              reasoning_effort: "high" as const,
            };
            const { completions } = suite.client.chat;
            const completion = stream
              ? await completions.stream(request).finalChatCompletion()
              : await completions.create(request);
            return completion.choices[0]!.message;
          };
          const history = [...messages];
          for (let turn = 0; turn < 2; turn++) {
            const asked = await ask(history);
            const [call] = asked.tool_calls ?? [];
            assert.ok(call !== undefined);
            history.push(asked, { role: "tool", tool_call_id: call.id, content: `tide ${turn}` });
            const answered = await ask(history);
            assert.match(answered.content ?? "", new RegExp(`Tool result 1 was: tide ${turn}`));
            history.push(answered, { role: "user", content: "And now?" });
            // OpenAI keeps its state to itself; Anthropic's thinking is signed, and the simulator checks the signature.
            const signed = [asked, answered].map(({ reasoning_details: details }) => details?.[0]?.signature);
            assert.equal(
              signed.every((signature) => typeof signature === "string"),
              !upstream.native,
            );
          }
          const { losses } = await suite.gateway.gateway.store.db
            .selectFrom("requests")
            .select("losses")
            .orderBy("request_id", "desc")
            .limit(1)
            .executeTakeFirstOrThrow();
          assert.equal(losses, null);
        });
      }

      test("count cached tokens as a part of the prompt, streamed or not", async () => {
        const request = { model: upstream.scripted("tokens=3,input=100,cache-read=700,cache-write=40"), messages };
        const whole = await suite.client.chat.completions.create(request);
        const streamed = await suite.client.chat.completions
          .stream({ ...request, stream_options: { include_usage: true } })
          .finalChatCompletion();
        for (const usage of [whole.usage, streamed.usage]) {
          assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens], [840, 3, 843]);
          assert.equal(usage?.prompt_tokens_details?.cached_tokens, 700);
          assert.equal(usage.prompt_tokens_details.cache_write_tokens, 40);
        }
      });

      test("leave usage out where the provider reports none", async () => {
        const completion = await suite.client.chat.completions.create({
          model: upstream.scripted("tokens=3,fault=no-usage"),
          messages,
        });
        assert.equal(completion.usage, undefined);
        assert.equal(completion.choices[0]?.finish_reason, "stop");
      });
    });
  }

  test("a signature that does not fit its thinking is refused by the provider that made it", async () => {
    const model = upstreams[1]!.scripted("reasoning=5,tools=1");
    const asked = (await suite.client.chat.completions.create({ model, messages, tools })).choices[0]!
      .message as Reasoned;
    const forged = {
      ...asked,
      reasoning_details: asked.reasoning_details?.map((each) => ({ ...each, text: "other" })),
    };
    const result = { role: "tool" as const, tool_call_id: asked.tool_calls?.[0]?.id ?? "", content: "" };
    await assert.rejects(
      suite.client.chat.completions.create({ model, messages: [...messages, forged, result], tools }),
      (error) => error instanceof BadRequestError && /Invalid `signature` in `thinking`/.test(error.message),
    );
  });

  test("prompt-cache writes that live an hour are charged as such", async () => {
    const completion = await suite.client.chat.completions.create({
      model: upstreams[1]!.scripted("tokens=2,input=10,cache-write=20,cache-write-1h=30"),
      messages,
    });
    assert.equal(completion.usage?.prompt_tokens, 60);
    assert.equal(completion.usage.prompt_tokens_details?.cache_write_tokens, 50);
  });

  testBooks(suite);
});
