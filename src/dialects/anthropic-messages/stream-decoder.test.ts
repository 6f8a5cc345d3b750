import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { CanonicalEvent } from "../canonical.ts";
import { readFixture } from "./fixtures/fixture.ts";
import { MessagesStreamDecoder } from "./stream-decoder.ts";

function decodeFixture(name: string): CanonicalEvent[] {
  const decoder = new MessagesStreamDecoder();
  return readFixture(name).flatMap((event) => [...decoder.decode(JSON.parse(event.data))]);
}

/** One line an event, for readable expectations. */
function outline(events: readonly CanonicalEvent[]): string[] {
  return events.map((event) => {
    switch (event.type) {
      case "start":
        return `start ${event.id} ${event.model}`;
      case "item-start":
        return `${event.index} start ${event.item.kind === "tool-call" ? `${event.item.callId} ${event.item.name}` : event.item.kind}`;
      case "item-end":
        return `${event.index} end`;
      case "reasoning-opaque":
        return `${event.index} ${event.opaque.origin} ${event.opaque.kind} ${event.opaque.value}`;
      case "usage":
        return "usage";
      case "finish":
        return `finish ${event.finish.reason} ${event.finish.native} ${event.finish.stopSequence}`;
      default:
        return `${event.index} ${event.type} ${event.text}`;
    }
  });
}

test("decodes text without its empty deltas, and says usage once, before the finish", () => {
  assert.deepEqual(outline(decodeFixture("text")), [
    "start msg_01 claude-opus-4-8",
    "0 start message",
    "0 text-delta Grüße",
    "0 text-delta , 世界 🌍",
    "0 end",
    "usage",
    "finish stop end_turn null",
  ]);
});

test("gives each parallel tool call its arguments, {} where there are none, and a whole input in one piece", () => {
  assert.deepEqual(outline(decodeFixture("parallel-tools")).slice(4, -2), [
    "1 start toolu_A get_weather",
    '1 arguments-delta {"city":',
    '1 arguments-delta "Köln"}',
    "1 end",
    "2 start toolu_B get_time",
    "2 arguments-delta {}",
    "2 end",
    "3 start toolu_C get_news",
    '3 arguments-delta {"topic":"rivers"}',
    "3 end",
  ]);
});

test("keeps a signature with the thinking it signs, before the tool call", () => {
  assert.deepEqual(outline(decodeFixture("thinking-tool")).slice(1, 8), [
    "0 start reasoning",
    "0 reasoning-delta I need the ",
    "0 reasoning-delta weather.",
    "0 anthropic-messages signature EqQBCgIYAhIM+/sig==",
    "0 end",
    "1 start toolu_A get_weather",
    '1 arguments-delta {"city":"Köln"}',
  ]);
});

test("carries signature-only and redacted thinking as opaque state without text", () => {
  assert.deepEqual(outline(decodeFixture("opaque-thinking")).slice(1, 7), [
    "0 start reasoning",
    "0 anthropic-messages signature c2lnLW9ubHk=",
    "0 end",
    "1 start reasoning",
    "1 anthropic-messages redacted_thinking EmwKAhgBEgy3va3p",
    "1 end",
  ]);
});

test("gives no item to server tools and unknown blocks and numbers the others without a gap", () => {
  assert.deepEqual(outline(decodeFixture("pings-and-unknowns")), [
    "start msg_01 claude-opus-4-8",
    "0 start message",
    "0 text-delta Seen.",
    "0 end",
    "usage",
    "finish stop end_turn null",
  ]);
});

test("leaves arguments that the length limit cut as they are and says length", () => {
  assert.deepEqual(outline(decodeFixture("cut-tool")).slice(1), [
    "0 start toolu_A write",
    '0 arguments-delta {"text":"once upon',
    "0 end",
    "usage",
    "finish length max_tokens null",
  ]);
});

test("tells the provider's explanation of a refusal as a refusal of its own", () => {
  assert.deepEqual(outline(decodeFixture("refusal")).slice(2), [
    "0 text-delta I can",
    "0 end",
    "1 start message",
    "1 refusal-delta This request could enable harm.",
    "1 end",
    "usage",
    "finish refusal refusal null",
  ]);
});

test("closes blocks that the provider left open before it finishes, signature included", () => {
  assert.deepEqual(outline(decodeFixture("unclosed-blocks")).slice(3), [
    "1 start message",
    "1 text-delta a",
    "0 anthropic-messages signature c2ln",
    "0 end",
    "1 end",
    "usage",
    "finish stop-sequence stop_sequence END",
  ]);
});

test("never finishes a stream that broke", () => {
  for (const name of ["truncated", "error-midstream"]) {
    assert.ok(!decodeFixture(name).some((event) => event.type === "finish" || event.type === "item-end"));
  }
});

test("refuses a stream whose blocks contradict each other", () => {
  const start = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
  const delta = { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "x" } };
  const stop = { type: "content_block_stop", index: 1 };
  for (const second of [start, delta, stop]) {
    const decoder = new MessagesStreamDecoder();
    decoder.decode(start);
    assert.throws(
      () => decoder.decode(second),
      (thrown) => thrown instanceof HeadgateError && thrown.code === "upstream_malformed",
    );
  }
});

test("starts once and finishes once, whatever a provider repeats", () => {
  const decoder = new MessagesStreamDecoder();
  const start = { type: "message_start", message: { id: "m", model: "c", usage: { input_tokens: 1 } } };
  const finish = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } };
  const said = [start, start, finish, finish, { type: "message_stop" }].flatMap((event) => [...decoder.decode(event)]);
  assert.deepEqual(
    said.map((event) => event.type),
    ["start", "usage", "finish"],
  );
});

const block = fc.oneof(
  fc.record({ kind: fc.constant("text"), deltas: fc.array(fc.string(), { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("thinking"), deltas: fc.array(fc.string(), { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("tool_use"), deltas: fc.array(fc.string(), { maxLength: 4 }) }),
  fc.record({ kind: fc.constantFrom("redacted_thinking", "server_tool_use", "future_block"), deltas: fc.constant([]) }),
);

test("numbers items without a gap, closes each exactly once and loses no text, for any stream of blocks that interleave", () => {
  fc.assert(
    fc.property(
      fc.array(block, { maxLength: 6 }),
      fc.infiniteStream(fc.nat(5)),
      fc.boolean(),
      (blocks, picks, closeAll) => {
        const decoder = new MessagesStreamDecoder();
        const said: CanonicalEvent[] = [];
        for (const event of interleave(blocks, picks, closeAll)) said.push(...decoder.decode(event));
        const open = new Set<number>();
        let next = 0;
        for (const event of said) {
          if (event.type === "item-start") {
            assert.equal(event.index, next++);
            open.add(event.index);
          } else if (event.type === "item-end") assert.ok(open.delete(event.index));
          else if ("index" in event) assert.ok(open.has(event.index));
          else if (event.type === "finish") assert.equal(open.size, 0);
        }
        assert.equal(said.at(-1)?.type, "finish");
        const text = said.map((event) => (event.type === "text-delta" ? event.text : "")).join("").length;
        const sent = blocks
          .filter((each) => each.kind === "text")
          .flatMap((each) => each.deltas)
          .join("").length;
        assert.equal(text, sent);
      },
    ),
  );
});

function* interleave(
  blocks: readonly { kind: string; deltas: readonly string[] }[],
  picks: Iterable<number>,
  closeAll: boolean,
): Generator<unknown> {
  const fields: Record<string, string> = { text: "text", thinking: "thinking", tool_use: "partial_json" };
  const types: Record<string, string> = {
    text: "text_delta",
    thinking: "thinking_delta",
    tool_use: "input_json_delta",
  };
  const queues = blocks.map(({ kind, deltas }, index) => [
    { type: "content_block_start", index, content_block: { type: kind, id: `t${index}`, name: "n", input: {} } },
    ...deltas.map((text) => ({
      type: "content_block_delta",
      index,
      delta: { type: types[kind], [fields[kind] ?? ""]: text },
    })),
    ...(closeAll ? [{ type: "content_block_stop", index }] : []),
  ]);
  const choice = picks[Symbol.iterator]();
  while (queues.some((queue) => queue.length > 0)) {
    const left = queues.filter((queue) => queue.length > 0);
    yield left[(choice.next().value ?? 0) % left.length]!.shift();
  }
  yield { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } };
}
