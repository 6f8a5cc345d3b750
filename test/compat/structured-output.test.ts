import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import { ContentFilterFinishReasonError, LengthFinishReasonError } from "openai/core/error";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "Tell me about the mill." }];
const mill = z.object({
  name: z.string(),
  kind: z.enum(["water", "wind"]),
  wheels: z.array(z.object({ diameter: z.number(), turns: z.boolean() })),
  owner: z.object({ name: z.string(), since: z.number().int() }).nullable(),
});
const format = zodResponseFormat(mill, "mill");

describe("structured output through the SDK", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`of ${upstream.title}`, () => {
      test("is parsed to the schema's type", async () => {
        for (const seed of [1, 2, 3]) {
          const completion = await suite.client.chat.completions.parse({
            model: upstream.scripted(`seed=${seed}`),
            messages,
            response_format: format,
          });
          const { parsed, content } = completion.choices[0]!.message;
          assert.deepEqual(parsed, mill.parse(JSON.parse(content ?? "")));
        }
      });

      test("says which part of the request the provider's API has no place for", async () => {
        const { response } = await suite.client.chat.completions
          .create({ model: upstream.model, messages, response_format: format })
          .withResponse();
        // The name of a schema is OpenAI's own: Anthropic's API takes the schema alone.
        const dropped = upstream.native ? null : "response_format.json_schema.name";
        assert.equal(response.headers.get("x-headgate-dropped"), dropped);
      });

      test("is parsed while it streams", async () => {
        const stream = suite.client.chat.completions.stream({
          model: upstream.model,
          messages,
          response_format: format,
        });
        const snapshots: unknown[] = [];
        let done: unknown;
        stream.on("content.delta", ({ parsed }) => snapshots.push(structuredClone(parsed)));
        stream.on("content.done", ({ parsed }) => (done = parsed));
        const { parsed, content } = (await stream.finalChatCompletion()).choices[0]!.message;
        assert.deepEqual(parsed, mill.parse(JSON.parse(content ?? "")));
        assert.deepEqual(done, parsed);
        assert.ok(snapshots.length > 1, "there is something to see before the end");
        assert.deepEqual(snapshots.at(-1), parsed);
      });

      test("is the same whether it streams or not", async () => {
        const request = { model: upstream.scripted("seed=7"), messages, response_format: format };
        const whole = await suite.client.chat.completions.parse(request);
        const streamed = await suite.client.chat.completions.stream(request).finalChatCompletion();
        assert.deepEqual(streamed.choices[0]?.message.parsed, whole.choices[0]?.message.parsed);
      });

      test("of a tool's arguments is parsed, too", async () => {
        const completion = await suite.client.chat.completions.parse({
          model: upstream.scripted("tools=1"),
          messages,
          tools: [zodFunction({ name: "record_mill", parameters: mill })],
        });
        const call = completion.choices[0]?.message.tool_calls?.[0];
        assert.ok(call?.type === "function");
        assert.equal(call.function.name, "record_mill");
        assert.deepEqual(call.function.parsed_arguments, mill.parse(JSON.parse(call.function.arguments)));
      });

      test("that is cut short or filtered is no answer to the SDK", async () => {
        const cut = { model: upstream.model, messages, response_format: format, max_completion_tokens: 3 };
        await assert.rejects(suite.client.chat.completions.parse(cut), LengthFinishReasonError);
        await assert.rejects(suite.client.chat.completions.stream(cut).finalChatCompletion(), LengthFinishReasonError);
        const filtered = { model: upstream.scripted("finish=content_filter"), messages, response_format: format };
        await assert.rejects(suite.client.chat.completions.parse(filtered), ContentFilterFinishReasonError);
      });
    });
  }

  test("without a schema is given where the provider promises it, and refused by name where it does not", async () => {
    const [native, translated] = upstreams;
    const request = { messages, response_format: { type: "json_object" as const } };
    const completion = await suite.client.chat.completions.create({ ...request, model: native!.model });
    assert.equal(typeof JSON.parse(completion.choices[0]?.message.content ?? ""), "object");
    // Anthropic's API promises JSON only by a schema; a plea in the prompt is not the promise that was asked for.
    await assert.rejects(
      suite.client.chat.completions.create({ ...request, model: translated!.model }),
      (error) =>
        error instanceof BadRequestError &&
        error.code === "unsupported_parameter" &&
        error.param === "response_format" &&
        /json_schema/.test(error.message),
    );
  });

  testBooks(suite);
});
