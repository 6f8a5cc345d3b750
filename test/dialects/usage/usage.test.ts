/**
 * Usage of every provider of the catalogue, read by the conventions that its page declares: buckets are disjoint and add
 * up to the provider's own total, in whole answers and streams, with caching and without.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anthropicMessages } from "../../../src/dialects/anthropic-messages/anthropic-messages.ts";
import type { Quirks, StreamReader } from "../../../src/dialects/dialect.ts";
import { openaiChat } from "../../../src/dialects/openai-chat/openai-chat.ts";
import { openaiEmbeddings } from "../../../src/dialects/openai-embeddings/openai-embeddings.ts";
import type { SseEvent } from "../../../src/dialects/sse.ts";
import { emptyUsage, totalInputTokens, totalOutputTokens, type Usage } from "../../../src/kernel/usage.ts";
import { findProviderSpec, providerSpecs } from "../../../src/providers/catalogue.ts";
import { hosts } from "./hosts.ts";
import { messages } from "./messages.ts";
import type { RecordedProvider, RecordedUsage, StreamPlacement } from "./recorded.ts";
import { selfHosted } from "./self-hosted.ts";
import { vendors } from "./vendors.ts";

type Json = Readonly<Record<string, unknown>>;

const recorded: readonly RecordedProvider[] = [...vendors, ...hosts, ...selfHosted];

function quirksOf(provider: string): Quirks {
  return findProviderSpec(provider)?.quirks ?? assert.fail(`no provider ${provider}`);
}

function sum(usage: Usage): number {
  return totalInputTokens(usage) + totalOutputTokens(usage);
}

/** What the provider itself says that all of it was, by its declared convention. */
function ownTotal(wire: Json, { reasoningInsideTotal = true }: Quirks): number {
  const reasoning = reasoningInsideTotal ? 0 : Number(wire["reasoning_tokens"] ?? 0);
  return Number(wire["total_tokens"]) + reasoning;
}

function readWhole(wire: Json, quirks: Quirks): Usage | null {
  const choices = [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }];
  const answer = { id: "c", object: "chat.completion", model: "m", choices, usage: wire };
  return openaiChat.outbound!.readResponse(answer, quirks).usage;
}

const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
const delta = { ...head, choices: [{ index: 0, delta: { role: "assistant", content: "Hi" }, finish_reason: null }] };
const finish = { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };

/** The chunks of a stream that has its usage where the provider puts it. */
function chunksOf(wire: Json, placement: StreamPlacement): readonly Json[] {
  switch (placement) {
    case "last":
      return [
        { ...delta, usage: null },
        { ...finish, usage: null },
        { ...head, choices: [], usage: wire },
      ];
    case "finish":
      return [delta, { ...finish, usage: wire }];
    case "every":
      return [
        { ...delta, usage: { prompt_tokens: 8, total_tokens: 8 } },
        { ...finish, usage: wire },
      ];
    case "choice":
      return [delta, { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop", usage: wire }] }];
    case "groq":
      return [
        { ...delta, x_groq: { id: "req_1" } },
        { ...finish, x_groq: { id: "req_1", usage: wire } },
      ];
  }
}

function readStream(chunks: readonly Json[], reader: StreamReader): Usage | null {
  for (const chunk of chunks) {
    const data = JSON.stringify(chunk);
    const event: SseEvent = {
      event: typeof chunk["type"] === "string" ? chunk["type"] : "",
      data,
      comment: false,
      raw: Buffer.from(data),
    };
    assert.notEqual(reader.read(event), "invalid");
  }
  return reader.reading.usage;
}

/** The usage that the caller of a translated stream is told. */
function decodeStream(chunks: readonly Json[], quirks: Quirks): Usage | undefined {
  const decoder = openaiChat.outbound!.translation!.createStreamDecoder(quirks);
  const told = chunks.flatMap((chunk) => decoder.decode(chunk)).filter((event) => event.type === "usage");
  return told.at(-1)?.usage;
}

for (const { provider, source, stream, plain, cached, others = [] } of recorded) {
  describe(`usage of ${provider} (${source})`, () => {
    const quirks = quirksOf(provider);
    const shapes: readonly (readonly [string, RecordedUsage])[] = [
      ["without caching", plain],
      ...(cached === null ? [] : [["with caching", cached] as const]),
      ...others.map((other, index) => [`in another shape, ${index + 1}`, other] as const),
    ];
    for (const [what, { wire, buckets, onlyInTotal = false }] of shapes) {
      const expected = { ...emptyUsage(), ...buckets };

      test(`${what}: a whole answer adds up to the provider's total`, () => {
        assert.deepEqual(readWhole(wire, quirks), expected);
        assert.equal(sum(expected), ownTotal(wire, quirks));
      });

      test(`${what}: a stream is read the same, for the ledger and for the caller`, () => {
        const chunks = chunksOf(wire, stream);
        assert.deepEqual(readStream(chunks, openaiChat.outbound!.createStreamReader(quirks, 1)), expected);
        assert.deepEqual(decodeStream(chunks, quirks), expected);
      });

      test(`${what}: the declared convention needs no total to be right`, () => {
        const { total_tokens: _, ...withoutTotal } = wire;
        const usage = readWhole(withoutTotal, quirks);
        if (onlyInTotal) assert.notDeepEqual(usage, expected);
        else assert.deepEqual(usage, expected);
      });
    }
  });
}

for (const { what, whole, start, delta: last, buckets } of messages) {
  const expected = { ...emptyUsage(), ...buckets };
  const ownSum = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"]
    .map((name) => Number(whole[name]))
    .reduce((a, b) => a + b);

  test(`usage of a message ${what}: a whole answer adds up to the provider's counts`, () => {
    const message = {
      id: "m",
      type: "message",
      role: "assistant",
      model: "claude",
      content: [],
      stop_reason: "end_turn",
    };
    assert.deepEqual(anthropicMessages.outbound!.readResponse({ ...message, usage: whole }, {}).usage, expected);
    assert.equal(sum(expected), ownSum);
  });

  test(`usage of a message ${what}: a stream is read the same`, () => {
    const chunks = [
      { type: "message_start", message: { id: "m", model: "claude", usage: start } },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: last },
      { type: "message_stop" },
    ];
    assert.deepEqual(readStream(chunks, anthropicMessages.outbound!.createStreamReader({}, 1)), expected);
  });
}

test("usage of embeddings is all input, and adds up to the provider's total", () => {
  const data = [{ object: "embedding", index: 0, embedding: [0.1] }];
  for (const usage of [{ prompt_tokens: 8, total_tokens: 8 }, { total_tokens: 8 }, { prompt_tokens: 8 }]) {
    const read = openaiEmbeddings.outbound!.readResponse({ object: "list", data, model: "m", usage }, {}).usage;
    assert.deepEqual(read, { ...emptyUsage(), inputTokens: 8 });
  }
});

test("every provider of the catalogue has recorded usage, by its dialect", () => {
  const chat = providerSpecs.filter(({ dialects }) => dialects.includes("openai-chat")).map(({ id }) => id);
  const other = providerSpecs.filter(({ dialects }) => !dialects.includes("openai-chat"));
  assert.deepEqual(recorded.map(({ provider }) => provider).toSorted(), chat.toSorted());
  for (const { id, dialects } of other) assert.deepEqual(dialects, ["anthropic-messages"], id);
});
