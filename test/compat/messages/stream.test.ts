import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APIError, type Anthropic } from "@anthropic-ai/sdk";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, textOf, upstreams, type MessagesSuite } from "./suite.ts";

const messages = [{ role: "user" as const, content: "Wie weit ist es von Köln nach 東京? 🌍" }];
const max_tokens = 500;

async function collect(suite: MessagesSuite, model: string): Promise<Anthropic.RawMessageStreamEvent[]> {
  return Array.fromAsync(await suite.anthropic.messages.create({ model, max_tokens, messages, stream: true }));
}

/** The types of the events, repetitions once. */
function outline(events: readonly Anthropic.RawMessageStreamEvent[]): string[] {
  const types = events.map((event) => ("index" in event ? `${event.type} ${event.index}` : event.type));
  return types.filter((type, index) => type !== types[index - 1]);
}

function saidIn(events: readonly Anthropic.RawMessageStreamEvent[]): string {
  return events
    .map((event) => (event.type === "content_block_delta" && event.delta.type === "text_delta" ? event.delta.text : ""))
    .join("");
}

describe("streams through Anthropic's SDK", () => {
  const suite = openMessagesSuite();

  for (const upstream of upstreams) {
    describe(`from ${upstream.title}`, () => {
      test("have the API's events in its order, with one block after the other", async () => {
        const events = await collect(suite, upstream.scripted("reasoning=5,reasoning-text,tokens=6"));
        assert.deepEqual(outline(events), [
          "message_start",
          "content_block_start 0",
          "content_block_delta 0",
          "content_block_stop 0",
          "content_block_start 1",
          "content_block_delta 1",
          "content_block_stop 1",
          "message_delta",
          "message_stop",
        ]);
        assert.equal(saidIn(events).split(" ").length, 6);
      });

      test("add up to the answer that is not streamed", async () => {
        for (const script of ["seed=3", "tokens=60,seed=5", "tokens=60,seed=5,finish=content_filter"]) {
          const request = { model: upstream.scripted(script), max_tokens, messages };
          const whole = await suite.anthropic.messages.create(request);
          const stream = suite.anthropic.messages.stream(request);
          let said = "";
          stream.on("text", (delta) => (said += delta));
          const summed = await stream.finalMessage();
          assert.deepEqual([summed.content, summed.stop_reason], [whole.content, whole.stop_reason]);
          assert.equal(said, textOf(whole));
          assert.deepEqual(
            [summed.usage.input_tokens, summed.usage.output_tokens],
            [whole.usage.input_tokens, whole.usage.output_tokens],
          );
          assert.deepEqual([summed.type, summed.role, summed.model], [whole.type, whole.role, whole.model]);
          assert.match(stream.request_id ?? "", /^req_/);
        }
      });

      test("keep text of every script whole when packets end inside a character", async () => {
        const request = { model: upstream.scripted("tokens=80,seed=2,fault=split-utf8"), max_tokens, messages };
        const whole = await suite.anthropic.messages.create(request);
        const text = await suite.anthropic.messages.stream(request).finalText();
        assert.equal(text, textOf(whole));
        assert.match(text, /水門|поток|🌊/);
      });

      test("stop at the bound with the reason max_tokens", async () => {
        const request = { model: upstream.scripted("tokens=40"), max_tokens: 6, messages };
        const message = await suite.anthropic.messages.stream(request).finalMessage();
        assert.equal(message.stop_reason, "max_tokens");
        assert.equal(textOf(message).split(" ").length, 6);
      });

      test("are complete when only the provider's terminal marker is missing", async () => {
        const events = await collect(suite, upstream.scripted("tokens=4,fault=no-terminal-marker"));
        assert.deepEqual(outline(events).slice(-2), ["message_delta", "message_stop"]);
      });

      test("pass over comments, and reach the SDK's two readers when they are split", async () => {
        const stream = await suite.anthropic.messages.create({
          model: upstream.scripted("tokens=12,fault=comments"),
          max_tokens,
          messages,
          stream: true,
        });
        const [left, right] = stream.tee();
        const [one, two] = await Promise.all([Array.fromAsync(left), Array.fromAsync(right)]);
        assert.deepEqual(one, two);
        assert.equal(saidIn(one).split(" ").length, 12);
      });

      for (const [fault, type, code] of [
        ["cut-between-events@5", "api_error", "stream_truncated"],
        ["cut-mid-token@5", "api_error", "stream_truncated"],
        ["no-finish@5", "api_error", "stream_truncated"],
        ["invalid-json@5", "api_error", "upstream_malformed"],
        // The two APIs name what happened to them differently: a server error, and an overload.
        upstream.native
          ? ["error-event-after-200@5", "overloaded_error", "upstream_overloaded"]
          : ["error-event-after-200@5", "api_error", "upstream_failed"],
      ] as const) {
        test(`fail in the SDK after what had come when the provider has the fault ${fault}`, async () => {
          const seen: Anthropic.RawMessageStreamEvent[] = [];
          const model = upstream.scripted(`tokens=20,fault=${fault}`);
          await assert.rejects(
            async () => {
              const stream = await suite.anthropic.messages.create({ model, max_tokens, messages, stream: true });
              for await (const event of stream) seen.push(event);
            },
            (error) => {
              assert.ok(error instanceof APIError, String(error));
              assert.deepEqual([error.type, error.errorCode], [type, code]);
              assert.match(error.requestID ?? "", /^req_/);
              return true;
            },
          );
          assert.equal(saidIn(seen).split(" ").length, 5);
          assert.ok(!seen.some((event) => event.type === "message_delta" || event.type === "message_stop"));
        });
      }
    });
  }

  testBooks(suite);
});
