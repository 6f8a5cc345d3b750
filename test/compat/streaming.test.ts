import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APIError } from "openai";
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { eventData } from "../support/simulator-client.ts";
import { openSuite, testBooks, type Suite } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "Wie weit ist es von Köln nach 東京? 🌍" }];

type Streamed = Omit<ChatCompletionCreateParamsStreaming, "stream" | "messages">;

async function collect(suite: Suite, request: Streamed): Promise<ChatCompletionChunk[]> {
  const stream = await suite.client.chat.completions.create({ messages, ...request, stream: true });
  return Array.fromAsync(stream);
}

function textOf(chunks: readonly ChatCompletionChunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

describe("streams through the SDK", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`from ${upstream.title}`, () => {
      test("begin with the role, give one finish reason, and share one id", async () => {
        const chunks = await collect(suite, { model: upstream.model });
        assert.deepEqual(chunks[0]?.choices[0]?.delta, { role: "assistant", content: "", refusal: null });
        assert.deepEqual(
          chunks.slice(1).filter(({ choices }) => choices[0]?.delta.role !== undefined),
          [],
        );
        const reasons = chunks.map(({ choices }) => choices[0]?.finish_reason ?? null);
        assert.deepEqual(
          reasons.filter((reason) => reason !== null),
          ["stop"],
        );
        assert.equal(reasons.at(-1), "stop");
        const marks = chunks.map(({ id, object, model, created }) => [id, object, model, created].join());
        assert.equal(new Set(marks).size, 1);
        assert.match(marks[0] ?? "", /^chatcmpl-\w+,chat\.completion\.chunk,sim-\w+,\d{10}$/);
        assert.match(textOf(chunks), /You said: “Wie weit ist es von Köln nach 東京\? 🌍”/);
      });

      test("carry no usage unless asked", async () => {
        const chunks = await collect(suite, { model: upstream.model });
        assert.deepEqual(
          chunks.filter(({ usage }) => usage !== undefined && usage !== null),
          [],
        );
        assert.deepEqual(
          chunks.filter(({ choices }) => choices.length === 0),
          [],
        );
      });

      test("end with one chunk of usage and no choices where it is asked for", async () => {
        const chunks = await collect(suite, {
          model: upstream.scripted("tokens=9,input=50,cache-read=30"),
          stream_options: { include_usage: true },
        });
        const last = chunks.pop();
        assert.deepEqual(last?.choices, []);
        assert.deepEqual(
          [last?.usage?.prompt_tokens, last?.usage?.completion_tokens, last?.usage?.total_tokens],
          [80, 9, 89],
        );
        assert.equal(last?.usage?.prompt_tokens_details?.cached_tokens, 30);
        assert.ok(chunks.length > 0 && chunks.every(({ usage, choices }) => usage === null && choices.length === 1));
      });

      test("are server-sent events that end with [DONE]", async () => {
        const response = await suite.client.chat.completions
          .create({ model: upstream.scripted("tokens=3"), messages, stream: true })
          .asResponse();
        assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
        assert.match(response.headers.get("x-request-id") ?? "", /^req_/);
        const text = await response.text();
        const events = eventData(text);
        assert.equal(events.indexOf("[DONE]"), events.length - 1);
        assert.ok(text.endsWith("data: [DONE]\n\n"));
      });

      test("add up to the answer that is not streamed", async () => {
        for (const script of ["seed=3", "tokens=60,seed=5", "tokens=60,seed=5,finish=content_filter"]) {
          const request = { model: upstream.scripted(script), messages };
          const whole = await suite.client.chat.completions.create(request);
          const stream = suite.client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
          let said = "";
          stream.on("content", (delta) => (said += delta));
          const summed = await stream.finalChatCompletion();
          const [wanted] = whole.choices;
          const [choice] = summed.choices;
          assert.deepEqual(
            [choice?.message.role, choice?.message.content, choice?.message.refusal, choice?.finish_reason],
            ["assistant", wanted?.message.content, wanted?.message.refusal, wanted?.finish_reason],
          );
          assert.equal(said, wanted?.message.content);
          assert.deepEqual(summed.usage, whole.usage);
          assert.deepEqual([summed.object, summed.model], [whole.object, whole.model]);
        }
      });

      test("keep text of every script whole when packets end inside a character", async () => {
        const request = { model: upstream.scripted("tokens=80,seed=2,fault=split-utf8"), messages };
        const whole = await suite.client.chat.completions.create(request);
        const text = textOf(await collect(suite, request));
        assert.equal(text, whole.choices[0]?.message.content);
        assert.match(text, /水門|поток|🌊/);
        assert.doesNotMatch(text, /\ufffd/);
      });

      test("stop at the bound with the reason length", async () => {
        const chunks = await collect(suite, { model: upstream.scripted("tokens=40"), max_completion_tokens: 6 });
        assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "length");
        assert.equal(textOf(chunks).split(" ").length, 6);
      });

      test("are complete when only the provider's terminal marker is missing", async () => {
        const chunks = await collect(suite, { model: upstream.scripted("tokens=4,fault=no-terminal-marker") });
        assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "stop");
      });

      test("reach the SDK's two readers when they are split", async () => {
        const stream = await suite.client.chat.completions.create({
          model: upstream.scripted("tokens=12"),
          messages,
          stream: true,
        });
        const [left, right] = stream.tee();
        const [one, two] = await Promise.all([Array.fromAsync(left), Array.fromAsync(right)]);
        assert.deepEqual(one, two);
        assert.equal(textOf(one).split(" ").length, 12);
      });

      for (const [fault, code] of [
        ["cut-between-events@5", "stream_truncated"],
        ["cut-mid-token@5", "stream_truncated"],
        ["no-finish@5", "stream_truncated"],
        ["invalid-json@5", "upstream_malformed"],
        // The two APIs name what happened to them differently: a server error, and an overload.
        ["error-event-after-200@5", upstream.native ? "upstream_failed" : "upstream_overloaded"],
      ] as const) {
        test(`fail in the SDK after what had come when the provider has the fault ${fault}`, async () => {
          const seen: ChatCompletionChunk[] = [];
          await assert.rejects(
            async () => {
              const stream = await suite.client.chat.completions.create({
                model: upstream.scripted(`tokens=20,fault=${fault}`),
                messages,
                stream: true,
              });
              for await (const chunk of stream) seen.push(chunk);
            },
            (error) => {
              assert.ok(error instanceof APIError, String(error));
              assert.deepEqual([error.code, error.type], [code, "server_error"]);
              assert.match(error.requestID ?? "", /^req_/);
              return true;
            },
          );
          assert.equal(textOf(seen).split(" ").length, 5);
          assert.deepEqual(
            seen.filter(({ choices }) => choices[0]?.finish_reason),
            [],
          );
        });
      }
    });
  }

  test("interleave n answers where the provider can", async () => {
    const chunks = await collect(suite, { model: upstreams[0]!.scripted("tokens=5"), n: 2 });
    for (const index of [0, 1]) {
      const own = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index));
      assert.equal(own[0]?.delta.role, "assistant");
      assert.deepEqual(
        own.flatMap(({ finish_reason }) => finish_reason ?? []),
        ["stop"],
      );
    }
  });

  testBooks(suite);
});
