import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { emptyUsage } from "../../../kernel/usage.ts";
import type { CanonicalEvent, CanonicalResponse, FinishReason, OpaqueState } from "../../canonical.ts";
import type { RequestView } from "../../dialect.ts";
import { SseParser } from "../../sse.ts";
import { ChatStreamDecoder } from "../outbound-answer/stream-decoder.ts";
import { encodeResponse } from "./response.ts";
import { ChatStreamEncoder } from "./stream-encoder.ts";

const usage = { ...emptyUsage(), inputTokens: 3, cacheReadTokens: 4, outputTokens: 5, reasoningTokens: 6 };
const signature: OpaqueState = { origin: "anthropic-messages", kind: "signature", value: "sig" };

const story: readonly CanonicalEvent[] = [
  { type: "start", id: "msg_1", model: "claude", createdMs: null },
  { type: "item-start", index: 0, item: { kind: "reasoning" } },
  { type: "reasoning-delta", index: 0, text: "Let me " },
  { type: "reasoning-delta", index: 0, text: "think." },
  { type: "reasoning-opaque", index: 0, opaque: signature },
  { type: "item-end", index: 0 },
  { type: "item-start", index: 1, item: { kind: "message" } },
  { type: "text-delta", index: 1, text: 'Sure: "é"\n' },
  { type: "item-end", index: 1 },
  { type: "item-start", index: 2, item: { kind: "tool-call", callId: "toolu_1", name: "f" } },
  { type: "arguments-delta", index: 2, text: '{"x":' },
  { type: "item-start", index: 3, item: { kind: "tool-call", callId: "toolu_2", name: "g" } },
  { type: "arguments-delta", index: 2, text: "1}" },
  { type: "item-end", index: 2 },
  { type: "item-end", index: 3 },
  { type: "usage", usage },
  { type: "finish", finish: { reason: "tool-calls", native: "tool_use", stopSequence: null } },
];

/** The JSON of each chunk; the terminal marker as text. */
function play(events: readonly CanonicalEvent[], wantsStreamUsage = false) {
  const encoder = new ChatStreamEncoder({ wantsStreamUsage } as RequestView, 1_790_000_000_500);
  const wire = events.map((event) => encoder.encode(event)).join("") + encoder.end();
  const datas: string[] = [];
  const chunks = [];
  const parser = new SseParser({ eventBytes: 1 << 16 });
  parser.push(Buffer.from(wire), (event) => datas.push(event.data));
  for (const data of datas) chunks.push(data === "[DONE]" ? data : JSON.parse(data));
  return chunks;
}

function deltas(events: readonly CanonicalEvent[]): unknown[] {
  return play(events).flatMap((chunk) => (chunk === "[DONE]" ? [] : [chunk.choices[0].delta]));
}

function tell(reason: FinishReason, native: string): readonly CanonicalEvent[] {
  return [story[0]!, { type: "finish", finish: { reason, native, stopSequence: null } }];
}

describe("ChatStreamEncoder", () => {
  test("tells a whole answer in OpenAI's order", () => {
    assert.deepEqual(deltas(story), [
      { role: "assistant", content: null, refusal: null },
      { reasoning_content: "Let me " },
      { reasoning_content: "think." },
      {
        reasoning_details: [
          { type: "reasoning.text", text: "Let me think.", signature: "sig", format: "anthropic-claude-v1", index: 0 },
        ],
      },
      { content: 'Sure: "é"\n' },
      { tool_calls: [{ index: 0, id: "toolu_1", type: "function", function: { name: "f", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] },
      { tool_calls: [{ index: 1, id: "toolu_2", type: "function", function: { name: "g", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: "1}" } }] },
      { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
      {},
    ]);
  });

  test("puts the shared fields on every chunk and one finish reason on the last", () => {
    const chunks = play(story);
    assert.equal(chunks.pop(), "[DONE]");
    for (const { id, object, created, model, choices } of chunks) {
      assert.deepEqual(
        [id, object, created, model],
        ["chatcmpl-msg_1", "chat.completion.chunk", 1_790_000_000, "claude"],
      );
      assert.equal(choices.length, 1);
    }
    assert.deepEqual(
      chunks.map((chunk) => chunk.choices[0].finish_reason).filter((reason) => reason !== null),
      ["tool_calls"],
    );
    assert.equal(chunks.at(-1).choices[0].finish_reason, "tool_calls");
  });

  test("tells usage in a chunk of its own before the end, only to a caller who asked", () => {
    assert.ok(play(story).every((chunk) => chunk === "[DONE]" || !("usage" in chunk)));
    const chunks = play(story, true);
    const last = chunks.at(-2);
    assert.deepEqual(last.choices, []);
    assert.deepEqual(last.usage, {
      prompt_tokens: 7,
      completion_tokens: 11,
      total_tokens: 18,
      prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 6, audio_tokens: 0 },
    });
    for (const chunk of chunks.slice(0, -2)) assert.equal(chunk.usage, null);
  });

  test("says the role also for an answer without any item", () => {
    assert.deepEqual(deltas(tell("stop", "end_turn")), [{ role: "assistant", content: "", refusal: null }, {}]);
  });

  test("never says stop for an answer that is not complete", () => {
    const words: readonly (readonly [FinishReason, string])[] = [
      ["stop", "stop"],
      ["stop-sequence", "stop"],
      ["length", "length"],
      ["context-length", "length"],
      ["tool-calls", "tool_calls"],
      ["content-filter", "content_filter"],
      ["refusal", "content_filter"],
      ["pause", "theirs"],
      ["other", "theirs"],
    ];
    for (const [reason, word] of words) {
      assert.equal(play(tell(reason, "theirs")).at(-2).choices[0].finish_reason, word);
    }
  });

  test("is read back as the same events by this dialect's decoder", () => {
    const decoder = new ChatStreamDecoder({});
    const said = play(story, true).flatMap((chunk) => (chunk === "[DONE]" ? [] : [...decoder.decode(chunk)]));
    const told = (events: readonly CanonicalEvent[], type: CanonicalEvent["type"]): unknown[] =>
      events.filter((event) => event.type === type);
    for (const type of ["item-start", "reasoning-delta", "text-delta", "usage"] as const) {
      assert.deepEqual(told(said, type), told(story, type));
    }
  });
});

describe("encodeResponse", () => {
  test("tells the same as the stream", () => {
    const response: CanonicalResponse = {
      id: "msg_1",
      model: "claude",
      createdMs: null,
      items: [
        { type: "reasoning", text: "Let me think.", opaque: [signature] },
        { type: "message", role: "assistant", name: null, parts: [{ type: "text", text: "Sure." }] },
        { type: "tool-call", callId: "toolu_1", name: "f", arguments: "" },
      ],
      finish: { reason: "tool-calls", native: "tool_use", stopSequence: null },
      usage: null,
    };
    assert.deepEqual(JSON.parse(Buffer.from(encodeResponse(response, 5_000)).toString("utf8")), {
      id: "chatcmpl-msg_1",
      object: "chat.completion",
      created: 5,
      model: "claude",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "Sure.",
            refusal: null,
            reasoning_content: "Let me think.",
            reasoning_details: [
              {
                type: "reasoning.text",
                text: "Let me think.",
                signature: "sig",
                format: "anthropic-claude-v1",
                index: 0,
              },
            ],
            tool_calls: [{ id: "toolu_1", type: "function", function: { name: "f", arguments: "{}" } }],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
    });
  });

  test("tells null beside tool calls, and joins several texts", () => {
    const message = (items: CanonicalResponse["items"]) => {
      const finish = { reason: "stop", native: "end_turn", stopSequence: null } as const;
      const bytes = encodeResponse({ id: "x", model: "m", createdMs: 1000, items, finish, usage }, 0);
      return JSON.parse(Buffer.from(bytes).toString("utf8")).choices[0].message;
    };
    const text = (said: string) =>
      ({ type: "message", role: "assistant", name: null, parts: [{ type: "text", text: said }] }) as const;
    const call = { type: "tool-call", callId: "1", name: "f", arguments: "{}" } as const;
    assert.equal(message([text(""), call]).content, null);
    assert.equal(message([call]).content, null);
    assert.equal(message([text("a"), call, text("b")]).content, "ab");
    assert.equal(message([text("")]).content, "");
  });
});
