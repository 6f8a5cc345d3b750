import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type Anthropic from "@anthropic-ai/sdk";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, textOf, upstreams } from "./suite.ts";

const hello: Anthropic.MessageParam[] = [{ role: "user", content: "Guten Tag, Köln 🌍" }];
const max_tokens = 500;
/** The SDK knows these no more, because the latest models refuse them; others take them. */
const sampling = { temperature: 0.2, top_p: 0.9 };

describe("messages through Anthropic's SDK", () => {
  const suite = openMessagesSuite();

  for (const upstream of upstreams) {
    describe(`to ${upstream.title}`, () => {
      test("are answered in Anthropic's shape, with usage", async () => {
        const message = await suite.anthropic.messages.create({ model: upstream.model, max_tokens, messages: hello });
        assert.match(message.id, /^msg_\w/);
        assert.deepEqual([message.type, message.role], ["message", "assistant"]);
        assert.equal(message.model, upstream.model.split("/")[1]);
        assert.deepEqual([message.stop_reason, message.stop_sequence], ["end_turn", null]);
        assert.match(textOf(message), /You said: “Guten Tag, Köln 🌍”/);
        assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
        assert.match(message._request_id ?? "", /^req_/);
      });

      test("take up the last of several turns, after a system prompt", async () => {
        const ask = (system: string | Anthropic.TextBlockParam[], messages: Anthropic.MessageParam[]) =>
          suite.anthropic.messages.create({ model: upstream.model, max_tokens, system, messages });
        const last: Anthropic.MessageParam = { role: "user", content: "And tomorrow?" };
        const short = await ask([], [last]);
        const long = await ask(
          [
            { type: "text", text: "You are a weather service.", cache_control: { type: "ephemeral" } },
            { type: "text", text: "Be brief." },
          ],
          [
            { role: "user", content: "How is the weather?" },
            { role: "assistant", content: [{ type: "text", text: "It rains." }] },
            { role: "user", content: [{ type: "text", text: "And tomorrow?" }] },
          ],
        );
        assert.match(textOf(long), /You said: “And tomorrow\?”/);
        const added = long.usage.input_tokens - short.usage.input_tokens;
        assert.ok(added >= "You are a weather service. Be brief. How is the weather? It rains.".split(" ").length);
      });

      test("end with the reason max_tokens at the bound", async () => {
        const model = upstream.scripted("tokens=40");
        const message = await suite.anthropic.messages.create({ model, max_tokens: 7, messages: hello });
        assert.equal(message.stop_reason, "max_tokens");
        assert.equal(message.usage.output_tokens, 7);
      });

      test("say refusal where the provider's filter stopped the answer", async () => {
        const model = upstream.scripted("tokens=4,finish=content_filter");
        const message = await suite.anthropic.messages.create({ model, max_tokens, messages: hello });
        assert.equal(message.stop_reason, "refusal");
      });

      test("take sampling parameters, stop sequences and an end user", async () => {
        const message = await suite.anthropic.messages.create({
          model: upstream.model,
          max_tokens,
          messages: hello,
          stop_sequences: ["END", "STOP"],
          metadata: { user_id: `user of ${upstream.model}` },
          ...sampling,
        });
        assert.equal(message.stop_reason, "end_turn");
        const record = await suite.gateway.gateway.store.db
          .selectFrom("requests")
          .selectAll()
          .where("end_user", "=", `user of ${upstream.model}`)
          .executeTakeFirstOrThrow();
        assert.ok(record.cost_nano_usd > 0n);
        assert.equal(record.dialect_in, "anthropic-messages");
      });

      test("count what a provider's cache held apart from the input, streamed or not", async () => {
        const model = upstream.scripted("tokens=3,input=100,cache-read=700,cache-write=40");
        const request = { model, max_tokens, messages: hello };
        const whole = await suite.anthropic.messages.create(request);
        const streamed = await suite.anthropic.messages.stream(request).finalMessage();
        for (const { usage } of [whole, streamed]) {
          assert.deepEqual(
            [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens, usage.output_tokens],
            [100, 700, 40, 3],
          );
        }
      });

      test("say in headers which request, provider and model it was, and what it cost", async () => {
        const request = { model: upstream.model, max_tokens, messages: hello };
        const { response, request_id: requestId } = await suite.anthropic.messages.create(request).withResponse();
        assert.match(requestId ?? "", /^req_/);
        assert.equal(response.headers.get("x-request-id"), requestId);
        assert.equal(response.headers.get("x-headgate-model"), upstream.model);
        const record = await suite.gateway.gateway.store.db
          .selectFrom("requests")
          .select("cost_nano_usd")
          .where("request_id", "=", requestId ?? "")
          .executeTakeFirstOrThrow();
        assert.equal(response.headers.get("x-headgate-cost-nano-usd"), record.cost_nano_usd.toString());
      });
    });
  }

  test("OpenAI's and Anthropic's SDK get the same words of one model", async () => {
    for (const { scripted } of upstreams) {
      const model = scripted("tokens=30,seed=5");
      const message = await suite.anthropic.messages.create({ model, max_tokens, messages: hello });
      const messages = [{ role: "user" as const, content: "Guten Tag, Köln 🌍" }];
      const completion = await suite.client.chat.completions.create({ model, max_tokens, messages });
      assert.equal(textOf(message), completion.choices[0]?.message.content);
    }
  });

  testBooks(suite);
});
