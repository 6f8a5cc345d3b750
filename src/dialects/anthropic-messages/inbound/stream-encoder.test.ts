import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { emptyUsage } from "../../../kernel/usage.ts";
import type { CanonicalEvent, OpaqueState, OutputItemHead } from "../../canonical.ts";
import { SseParser, type SseEvent } from "../../sse.ts";
import { encodeSignature } from "../foreign-signature.ts";
import { MessagesStreamDecoder } from "../stream-decoder.ts";
import { MessagesStreamReader } from "../stream-reader.ts";
import { shortenToolName } from "../tool-name.ts";
import { MessagesStreamEncoder } from "./stream-encoder.ts";
import { viewRequest } from "./view.ts";

const usage = { ...emptyUsage(), inputTokens: 3, cacheReadTokens: 4, outputTokens: 5, reasoningTokens: 6 };
const signature: OpaqueState = { origin: "anthropic-messages", kind: "signature", value: "sig" };
const redacted: OpaqueState = { origin: "anthropic-messages", kind: "redacted_thinking", value: "dark" };
const start: CanonicalEvent = { type: "start", id: "chatcmpl-1", model: "gpt", createdMs: null };
const finish: CanonicalEvent = {
  type: "finish",
  finish: { reason: "tool-calls", native: "tool_calls", stopSequence: null },
};

const longName = `mcp__plugin_browser__${"look_at_".repeat(8)}`;
const request = {
  model: "m",
  max_tokens: 9,
  messages: [{ role: "user", content: "?" }],
  tools: [{ name: longName, input_schema: {} }],
};
const view = viewRequest(parseJsonDocument(Buffer.from(JSON.stringify(request)), { depth: 16 }));

function begin(index: number, item: OutputItemHead): CanonicalEvent {
  return { type: "item-start", index, item };
}

function call(name: string): OutputItemHead {
  return { kind: "tool-call", callId: `call_${name}`, name };
}

const story: readonly CanonicalEvent[] = [
  start,
  begin(0, { kind: "reasoning" }),
  { type: "reasoning-delta", index: 0, text: "Let me " },
  { type: "reasoning-delta", index: 0, text: "think." },
  { type: "reasoning-opaque", index: 0, opaque: signature },
  { type: "item-end", index: 0 },
  begin(1, { kind: "reasoning" }),
  { type: "reasoning-opaque", index: 1, opaque: redacted },
  { type: "item-end", index: 1 },
  begin(2, { kind: "message" }),
  { type: "text-delta", index: 2, text: 'Sure: "é"\n' },
  { type: "item-end", index: 2 },
  begin(3, call("f")),
  { type: "arguments-delta", index: 3, text: '{"x":' },
  begin(4, call("g")),
  { type: "arguments-delta", index: 4, text: "{}" },
  { type: "arguments-delta", index: 3, text: "1}" },
  { type: "item-end", index: 3 },
  { type: "item-end", index: 4 },
  finish,
  { type: "usage", usage },
];

function parse(wire: string): SseEvent[] {
  const events: SseEvent[] = [];
  new SseParser({ eventBytes: 1 << 16 }).push(Buffer.from(wire), (event) => events.push(event));
  return events;
}

function play(events: readonly CanonicalEvent[]): SseEvent[] {
  const encoder = new MessagesStreamEncoder(view);
  return parse(events.map((event) => encoder.encode(event)).join("") + encoder.end());
}

/** One line an event. */
function outline(events: readonly SseEvent[]): string[] {
  return events.map(({ data }) => {
    const { type, index, content_block: block, delta } = JSON.parse(data);
    if (type === "content_block_start") return `${index} ${JSON.stringify(block)}`;
    if (type === "content_block_delta") return `${index} ${JSON.stringify(delta)}`;
    return index === undefined ? type : `${index} stop`;
  });
}

describe("MessagesStreamEncoder", () => {
  test("tells a whole answer in the API's order, one block after the other", () => {
    assert.deepEqual(outline(play(story)), [
      "message_start",
      '0 {"type":"thinking","thinking":"","signature":""}',
      '0 {"type":"thinking_delta","thinking":"Let me "}',
      '0 {"type":"thinking_delta","thinking":"think."}',
      '0 {"type":"signature_delta","signature":"sig"}',
      "0 stop",
      '1 {"type":"redacted_thinking","data":"dark"}',
      "1 stop",
      '2 {"type":"text","text":""}',
      '2 {"type":"text_delta","text":"Sure: \\"é\\"\\n"}',
      "2 stop",
      '3 {"type":"tool_use","id":"call_f","name":"f","input":{}}',
      '3 {"type":"input_json_delta","partial_json":"{\\"x\\":"}',
      '3 {"type":"input_json_delta","partial_json":"1}"}',
      "3 stop",
      '4 {"type":"tool_use","id":"call_g","name":"g","input":{}}',
      '4 {"type":"input_json_delta","partial_json":"{}"}',
      "4 stop",
      "message_delta",
      "message_stop",
    ]);
  });

  test("names each event by its type", () => {
    for (const { raw, data } of play(story)) {
      assert.equal(Buffer.from(raw).toString("utf8"), `event: ${JSON.parse(data).type}\ndata: ${data}\n\n`);
    }
  });

  test("tells why it stopped and the usage at the end, whichever came first", () => {
    const delta = JSON.parse(play(story).at(-2)?.data ?? "");
    assert.deepEqual(delta.delta, { stop_reason: "tool_use", stop_sequence: null, stop_details: null });
    assert.deepEqual(delta.usage, {
      input_tokens: 3,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 4,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: 11,
      output_tokens_details: { thinking_tokens: 6 },
    });
  });

  test("tells the gateway's count where the provider gave none", () => {
    const count = { countUsage: () => ({ ...emptyUsage(), inputTokens: 12, outputTokens: 3 }) };
    const told = (events: readonly CanonicalEvent[]) => {
      const encoder = new MessagesStreamEncoder(view);
      for (const event of events) encoder.encode(event);
      return JSON.parse(parse(encoder.end(count))[0]?.data ?? "").usage;
    };
    const silent = told(story.filter(({ type }) => type !== "usage"));
    assert.deepEqual([silent.input_tokens, silent.output_tokens], [12, 3]);
    assert.equal(told(story).output_tokens, 11);
  });

  test("begins as the API begins, with the counts that its SDKs add to", () => {
    const { message } = JSON.parse(play(story)[0]?.data ?? "");
    assert.deepEqual(message, {
      id: "msg_chatcmpl-1",
      type: "message",
      role: "assistant",
      model: "gpt",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: { input_tokens: 0, output_tokens: 0 },
    });
  });

  test("calls a tool by the caller's own name, however short the provider took it", () => {
    const head: OutputItemHead = { kind: "tool-call", callId: "t", name: shortenToolName(longName) };
    const [, block] = play([start, begin(0, head), { type: "item-end", index: 0 }]);
    assert.equal(JSON.parse(block!.data).content_block.name, longName);
  });

  test("lets an id stand that the caller knows", () => {
    const encoder = new MessagesStreamEncoder(view, true);
    assert.match(encoder.encode(start), /"id":"chatcmpl-1"/);
  });

  test("goes on in a block that the caller saw beginning, though nothing was said in it yet", () => {
    const encoder = new MessagesStreamEncoder(view, true);
    for (const event of [
      start,
      begin(0, { kind: "message" }),
      { type: "text-delta", index: 0, text: "a" },
      { type: "item-end", index: 0 },
      begin(1, { kind: "message" }),
    ] as const) {
      encoder.encode(event);
    }
    const more = encoder.encode({ type: "text-delta", index: 1, text: "b" });
    assert.deepEqual(outline(parse(more)), ['1 {"type":"text_delta","text":"b"}']);
  });

  test("gives reasoning of another provider a signature with what that wants back", () => {
    const opaque: OpaqueState = { origin: "openai-chat", kind: "reasoning_details", value: "{}" };
    const lines = outline(
      play([
        start,
        begin(0, { kind: "reasoning" }),
        { type: "reasoning-delta", index: 0, text: "Hm." },
        { type: "reasoning-opaque", index: 0, opaque },
        { type: "item-end", index: 0 },
        finish,
      ]),
    );
    assert.equal(lines[3], `0 ${JSON.stringify({ type: "signature_delta", signature: encodeSignature([opaque]) })}`);
  });

  test("has no block for what says nothing, and tells a refusal's words at the end", () => {
    const events = play([
      start,
      begin(0, { kind: "reasoning" }),
      { type: "item-end", index: 0 },
      begin(1, { kind: "message" }),
      { type: "refusal-delta", index: 1, text: "I " },
      { type: "refusal-delta", index: 1, text: "won't." },
      { type: "item-end", index: 1 },
      { type: "finish", finish: { reason: "stop", native: "stop", stopSequence: null } },
    ]);
    assert.deepEqual(outline(events), ["message_start", "message_delta", "message_stop"]);
    const { delta } = JSON.parse(events[1]?.data ?? "");
    assert.deepEqual([delta.stop_reason, delta.stop_details.explanation], ["refusal", "I won't."]);
  });

  test("keeps only so much of what waits for its turn", () => {
    const encoder = new MessagesStreamEncoder(view);
    for (const event of [start, begin(0, call("f")), begin(1, call("g"))]) encoder.encode(event);
    const text = "x".repeat(1 << 20);
    const waiting: CanonicalEvent = { type: "arguments-delta", index: 1, text };
    for (let times = 0; times < 8; times++) encoder.encode(waiting);
    assert.throws(() => encoder.encode(waiting), { code: "upstream_too_large" });
    for (let times = 0; times < 9; times++) encoder.encode({ ...waiting, index: 0 });
  });

  test("is taken by this dialect's reader for a stream that finished", () => {
    const reader = new MessagesStreamReader();
    const signals = play(story).map((event) => reader.read(event));
    assert.deepEqual([signals.at(-2), signals.at(-1)], ["finish", "end"]);
    assert.deepEqual(reader.reading.usage, usage);
  });

  test("tells the same however the items interleave, as this dialect's decoder reads it", () => {
    const item = fc.constantFrom<"message" | "reasoning" | "tool-call">("message", "reasoning", "tool-call");
    const items = fc.array(fc.record({ kind: item, texts: fc.array(fc.string({ minLength: 1 }), { minLength: 1 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(items, fc.infiniteStream(fc.nat()), (drafts, picks) => {
        const heads = drafts.map(({ kind }, index): OutputItemHead =>
          kind === "tool-call" ? call(`f${index}`) : { kind },
        );
        const events: CanonicalEvent[] = [start, ...heads.map((head, index) => begin(index, head))];
        const left = drafts.map(({ kind, texts }, index) => [
          ...texts.map((text): CanonicalEvent => ({ type: deltaOf[kind], index, text })),
          { type: "item-end", index } as const,
        ]);
        for (let open = left.filter(some); open.length > 0; open = left.filter(some)) {
          const queue = open[picks.next().value % open.length];
          const next = queue?.shift();
          if (next !== undefined) events.push(next);
        }
        const decoder = new MessagesStreamDecoder();
        const told = play([...events, finish]).flatMap(({ data }) => [...decoder.decode(JSON.parse(data))]);
        for (const [index, { kind, texts }] of drafts.entries()) {
          const said = told.flatMap((event) =>
            event.type === deltaOf[kind] && "text" in event && event.index === index ? [event.text] : [],
          );
          assert.equal(said.join(""), texts.join(""));
        }
      }),
      { numRuns: 200 },
    );
  });
});

const deltaOf = { message: "text-delta", reasoning: "reasoning-delta", "tool-call": "arguments-delta" } as const;

function some(queue: readonly unknown[]): boolean {
  return queue.length > 0;
}
