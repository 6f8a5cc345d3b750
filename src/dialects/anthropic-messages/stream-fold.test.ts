import assert from "node:assert/strict";
import { test } from "node:test";
import { foldAnswer } from "../answer-forms.ts";
import { readFixture } from "./fixtures/fixture.ts";
import { decodeResponse } from "./response.ts";
import { MessagesStreamDecoder } from "./stream-decoder.ts";

interface WireEvent {
  readonly type: string;
  readonly index?: number;
  readonly message?: Record<string, unknown>;
  readonly content_block?: Record<string, unknown>;
  readonly delta?: Record<string, unknown>;
  readonly usage?: Record<string, unknown>;
}

/** The whole message that the provider would have sent without streaming, put together as its SDK does. */
function foldWire(events: readonly WireEvent[]): unknown {
  const message = { ...events[0]?.message };
  const usage: Record<string, unknown> = { ...(message["usage"] as Record<string, unknown>) };
  const content: Record<string, unknown>[] = [];
  const inputs: string[] = [];
  for (const { type, index = 0, content_block, delta = {}, usage: counts = {} } of events) {
    const block = content[index];
    if (type === "content_block_start") content[index] = { ...content_block };
    if (type === "message_delta") {
      Object.assign(message, delta);
      for (const [name, value] of Object.entries(counts)) if (value !== null) usage[name] = value;
    }
    if (type !== "content_block_delta" || block === undefined) continue;
    for (const name of ["text", "thinking"]) {
      if (name in delta) block[name] = String(block[name]) + String(delta[name]);
    }
    if ("signature" in delta) block["signature"] = delta["signature"];
    if ("partial_json" in delta) inputs[index] = (inputs[index] ?? "") + String(delta["partial_json"]);
  }
  for (const [index, input] of inputs.entries()) if (input) content[index]!["input"] = JSON.parse(input);
  return { ...message, content, usage };
}

for (const name of [
  "text",
  "parallel-tools",
  "thinking-tool",
  "opaque-thinking",
  "cache-usage",
  "refusal",
  "unclosed-blocks",
]) {
  test(`a stream folds to the same answer as the whole message: ${name}`, () => {
    const events = readFixture(name).map((event) => JSON.parse(event.data) as WireEvent);
    const decoder = new MessagesStreamDecoder();
    const told = foldAnswer(events.flatMap((event) => [...decoder.decode(event)]));
    assert.deepEqual(told, decodeResponse(foldWire(events)));
  });
}
