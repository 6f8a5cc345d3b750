import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyUsage } from "../../kernel/usage.ts";
import { readFixture } from "./fixtures/fixture.ts";
import { MessagesStreamReader } from "./stream-reader.ts";

function readAll(name: string): { signals: string[]; reader: MessagesStreamReader } {
  const reader = new MessagesStreamReader();
  return { signals: readFixture(name).map((event) => reader.read(event)), reader };
}

/** The signals of a stream after `message_start`, those of one content block in one line. */
function blocksOf(name: string): string[] {
  const reader = new MessagesStreamReader();
  const lines: string[] = [];
  let block: string[] = [];
  for (const event of readFixture(name).slice(1)) {
    block.push(reader.read(event));
    if (event.event === "content_block_start" || event.event === "content_block_delta") continue;
    lines.push(block.join(" "));
    block = [];
  }
  return lines;
}

function readData(data: string): string {
  return new MessagesStreamReader().read({ event: "", data, comment: false, raw: Buffer.from(data) });
}

test("signals output for text, finish for the stop reason and end for the terminal marker", () => {
  const { signals, reader } = readAll("text");
  assert.deepEqual(signals, ["progress", "progress", "output", "progress", "output", "progress", "finish", "end"]);
  assert.deepEqual(reader.reading, {
    id: "msg_01",
    model: "claude-opus-4-8",
    usage: { ...emptyUsage(), inputTokens: 12, outputTokens: 9 },
    usageIsDoubtful: false,
    serviceTier: null,
    finish: "stop",
    outputBytes: Buffer.byteLength("Grüße, 世界 🌍"),
  });
});

test("signals output for a tool call without arguments, a signature and a redacted block", () => {
  assert.deepEqual(blocksOf("parallel-tools"), [
    "progress output progress",
    "output progress output output progress",
    "output progress",
    "output progress",
    "finish",
    "end",
  ]);
  assert.deepEqual(blocksOf("opaque-thinking"), [
    "progress output progress",
    "output progress",
    "progress output progress",
    "finish",
    "end",
  ]);
});

test("merges the usage of the first and the last event into disjoint buckets", () => {
  const { reader } = readAll("cache-usage");
  assert.deepEqual(reader.reading.usage, {
    ...emptyUsage(),
    inputTokens: 25,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 210,
    cacheWrite1hTokens: 100,
    outputTokens: 7,
    searchUnits: 2,
  });
});

test("leaves nothing but the marker to come once reason and usage are told, and not before", () => {
  const reader = new MessagesStreamReader();
  const restAfter = (fields: object): string => {
    const data = JSON.stringify({ type: "message_delta", ...fields });
    reader.read({ event: "message_delta", data, comment: false, raw: Buffer.from(data) });
    return reader.rest;
  };
  assert.equal(restAfter({ delta: { stop_reason: null }, usage: { output_tokens: 3 } }), "open");
  assert.equal(restAfter({ delta: { stop_reason: "end_turn" } }), "open");
  assert.equal(restAfter({ delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } }), "marker");
});

test("knows when the model is at work on something that it does not show", () => {
  const reader = new MessagesStreamReader();
  const isWorkingAfter = (json: object): boolean => {
    const data = JSON.stringify(json);
    reader.read({ event: "", data, comment: false, raw: Buffer.from(data) });
    return reader.isWorking;
  };
  const begin = (type: string): object => ({ type: "content_block_start", index: 0, content_block: { type } });
  assert.equal(isWorkingAfter(begin("text")), false);
  assert.equal(isWorkingAfter(begin("server_tool_use")), true);
  assert.equal(isWorkingAfter({ type: "content_block_stop", index: 0 }), true);
  assert.equal(isWorkingAfter({ type: "ping" }), true);
  assert.equal(isWorkingAfter(begin("web_search_tool_result")), false);
  assert.equal(isWorkingAfter(begin("thinking")), true);
  const thought = (thinking: string): object => ({
    type: "content_block_delta",
    index: 1,
    delta: { type: "thinking_delta", thinking },
  });
  assert.equal(isWorkingAfter(thought("")), true);
  assert.equal(isWorkingAfter(thought("So")), false);
});

test("knows the input of a stream that breaks, and that it never finished", () => {
  const { signals, reader } = readAll("truncated");
  assert.ok(!signals.includes("finish") && !signals.includes("end"));
  assert.deepEqual(reader.reading.usage, { ...emptyUsage(), inputTokens: 12, outputTokens: 1 });
  assert.equal(reader.reading.finish, null);
});

test("reports an error event after a status of 200 as the failure it is", () => {
  const { signals, reader } = readAll("error-midstream");
  assert.equal(signals.at(-1), "error");
  assert.equal(reader.failure?.code, "upstream_overloaded");
  assert.equal(reader.failure?.message, "Overloaded");
});

test("takes pings, unknown events and unknown blocks as progress", () => {
  const { signals } = readAll("pings-and-unknowns");
  assert.deepEqual(signals.slice(0, 4), ["progress", "progress", "progress", "progress"]);
  assert.ok(!signals.includes("invalid"));
});

test("reports length for a tool call that the limit cut, not an error", () => {
  const { reader } = readAll("cut-tool");
  assert.equal(reader.reading.finish, "length");
});

test("calls invalid what is not an event of this dialect", () => {
  const bad = [
    "",
    "[DONE]",
    "{",
    "null",
    "[]",
    '"ping"',
    "{}",
    '{"type":1}',
    '{"type":"content_block_delta"}',
    '{"type":"message_start"}',
    '{"type":"content_block_start"}',
  ];
  for (const data of bad) {
    assert.equal(readData(data), "invalid", data);
  }
});

test("keeps the parsed event for the decoder", () => {
  const reader = new MessagesStreamReader();
  reader.read({ event: "ping", data: '{"type":"ping"}', comment: false, raw: Buffer.alloc(0) });
  assert.deepEqual(reader.json, { type: "ping" });
});

test("takes an event that is not UTF-8 on the wire as invalid, and one that says U+FFFD itself as it is", () => {
  const event = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\ufffdb"}}`;
  const broken = Buffer.from(event.replace("\ufffd", "\u00ff"), "latin1");
  const read = (raw: Uint8Array): string =>
    new MessagesStreamReader().read({ event: "", data: event, comment: false, raw });
  assert.equal(read(broken), "invalid");
  assert.equal(read(Buffer.from(event)), "output");
});
