import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const hello: ChatCompletionMessageParam[] = [{ role: "user", content: "Guten Tag, Köln 🌍" }];

describe("chat completions through the SDK", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`to ${upstream.title}`, () => {
      test("answer in OpenAI's shape, with usage that adds up", async () => {
        const completion = await suite.client.chat.completions.create({ model: upstream.model, messages: hello });
        const [choice] = completion.choices;
        assert.match(completion.id, /^chatcmpl-\w/);
        assert.equal(completion.object, "chat.completion");
        assert.ok(Math.abs(completion.created - Date.now() / 1000) < 600, `created at ${completion.created}`);
        assert.equal(completion.model, upstream.model.split("/")[1]);
        assert.equal(completion.choices.length, 1);
        assert.deepEqual([choice?.index, choice?.finish_reason, choice?.logprobs], [0, "stop", null]);
        assert.deepEqual([choice?.message.role, choice?.message.refusal], ["assistant", null]);
        assert.match(choice?.message.content ?? "", /You said: “Guten Tag, Köln 🌍”/);
        const { usage } = completion;
        assert.ok(usage && usage.prompt_tokens > 0 && usage.completion_tokens > 0);
        assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
      });

      test("take up the last of several turns, after system and developer messages", async () => {
        const ask = (messages: ChatCompletionMessageParam[]) =>
          suite.client.chat.completions.create({ model: upstream.model, messages });
        const short = await ask([{ role: "user", content: "And tomorrow?" }]);
        const long = await ask([
          { role: "system", content: "You are a weather service." },
          { role: "developer", content: [{ type: "text", text: "Be brief." }] },
          { role: "user", content: "How is the weather?" },
          { role: "assistant", content: "It rains." },
          { role: "user", content: [{ type: "text", text: "And tomorrow?" }] },
        ]);
        assert.match(long.choices[0]?.message.content ?? "", /You said: “And tomorrow\?”/);
        const added = (long.usage?.prompt_tokens ?? 0) - (short.usage?.prompt_tokens ?? 0);
        assert.ok(added >= "You are a weather service. Be brief. How is the weather? It rains.".split(" ").length);
      });

      for (const bound of ["max_tokens", "max_completion_tokens"] as const) {
        test(`end with the reason length at ${bound}`, async () => {
          const completion = await suite.client.chat.completions.create({
            model: upstream.scripted("tokens=40"),
            messages: hello,
            [bound]: 7,
          });
          assert.equal(completion.choices[0]?.finish_reason, "length");
          assert.equal(completion.usage?.completion_tokens, 7);
        });
      }

      test("take sampling parameters, stop sequences and an end user", async () => {
        const completion = await suite.client.chat.completions.create({
          model: upstream.model,
          messages: hello,
          temperature: 0.2,
          top_p: 0.9,
          stop: ["END", "STOP"],
          user: "user-7",
        });
        assert.equal(completion.choices[0]?.finish_reason, "stop");
        const record = await suite.gateway.gateway.store.db
          .selectFrom("requests")
          .selectAll()
          .where("end_user", "=", "user-7")
          .where("provider", "=", upstream.model.split("/")[0] ?? "")
          .executeTakeFirstOrThrow();
        assert.equal(record.cost_nano_usd > 0n, true);
      });

      test("say in headers which request, provider and model it was, and what it cost", async () => {
        const pending = suite.client.chat.completions.create({ model: upstream.model, messages: hello });
        const { data, response, request_id: requestId } = await pending.withResponse();
        assert.match(requestId ?? "", /^req_/);
        assert.equal((data as { _request_id?: string })._request_id, requestId);
        assert.equal(response.headers.get("x-headgate-model"), upstream.model);
        assert.equal(response.headers.get("x-headgate-provider"), upstream.model.split("/")[0]);
        assert.match(response.headers.get("x-headgate-upstream-request-id") ?? "", /^req_/);
        const record = await suite.gateway.gateway.store.db
          .selectFrom("requests")
          .select("cost_nano_usd")
          .where("request_id", "=", requestId ?? "")
          .executeTakeFirstOrThrow();
        assert.equal(response.headers.get("x-headgate-cost-nano-usd"), record.cost_nano_usd.toString());
      });

      test("can be read as a raw response", async () => {
        const response = await suite.client.chat.completions
          .create({ model: upstream.model, messages: hello })
          .asResponse();
        assert.equal(response.status, 200);
        assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
        const body = await response.text();
        assert.equal(response.headers.get("content-length"), String(Buffer.byteLength(body)));
        assert.equal((JSON.parse(body) as { object: string }).object, "chat.completion");
      });
    });
  }

  test("give n answers where the provider can, and refuse n by name where it cannot", async () => {
    const [native, translated] = upstreams;
    const completion = await suite.client.chat.completions.create({ model: native!.model, messages: hello, n: 3 });
    assert.deepEqual(
      completion.choices.map(({ index }) => index),
      [0, 1, 2],
    );
    // Anthropic's API gives one answer a call; asking three times would be billed three times.
    await assert.rejects(
      suite.client.chat.completions.create({ model: translated!.model, messages: hello, n: 3 }),
      (error) => error instanceof BadRequestError && error.param === "n" && error.code === "unsupported_parameter",
    );
  });

  testBooks(suite);
});
