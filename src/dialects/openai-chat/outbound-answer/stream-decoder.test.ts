import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CanonicalEvent } from "../../canonical.ts";
import { ChatStreamDecoder } from "./stream-decoder.ts";

function decode(...deltas: readonly (object | string)[]): CanonicalEvent[] {
  const decoder = new ChatStreamDecoder({});
  return deltas.flatMap((delta) => {
    const choice = typeof delta === "string" ? { delta: {}, finish_reason: delta } : { delta, finish_reason: null };
    return [...decoder.decode({ id: "c", model: "m", created: 2, choices: [{ index: 0, ...choice }] })];
  });
}

function calls(...deltas: readonly object[]): unknown[] {
  const started = new Map<number, { callId: string; name: string; arguments: string }>();
  for (const event of decode(...deltas.map((delta) => ({ tool_calls: [delta] })), "tool_calls")) {
    if (event.type === "item-start" && event.item.kind === "tool-call") {
      started.set(event.index, { callId: event.item.callId, name: event.item.name, arguments: "" });
    }
    if (event.type === "arguments-delta") started.get(event.index)!.arguments += event.text;
  }
  return [...started.values()];
}

describe("ChatStreamDecoder", () => {
  test("starts once, with the time in milliseconds", () => {
    assert.deepEqual(decode({ role: "assistant" }, { role: "assistant" }), [
      { type: "start", id: "c", model: "m", createdMs: 2000 },
    ]);
  });

  test("puts every kind of tool call together", () => {
    const named = (fields: object, args: unknown): object => ({ ...fields, function: { name: "f", arguments: args } });
    const more = (fields: object, args: string): object => ({ ...fields, function: { arguments: args } });
    const whole = { callId: "a", name: "f", arguments: '{"x":1}' };
    const shapes: readonly (readonly [string, object[], object[]])[] = [
      [
        "id and name first",
        [named({ index: 0, id: "a" }, ""), more({ index: 0 }, '{"x"'), more({ index: 0 }, ":1}")],
        [whole],
      ],
      ["the whole in one delta", [named({ index: 0, id: "a" }, '{"x":1}')], [whole]],
      ["an object for arguments", [named({ index: 0, id: "a" }, { x: 1 })], [whole]],
      ["no index", [named({ id: "a" }, '{"x"'), more({}, ":1}")], [whole]],
      ["the id on every delta", [named({ index: 0, id: "a" }, ""), more({ index: 0, id: "a" }, '{"x":1}')], [whole]],
      ["arguments before the name", [more({ index: 0, id: "a" }, '{"x"'), named({ index: 0 }, ":1}")], [whole]],
      ["no arguments", [named({ index: 0, id: "a" }, "")], [{ ...whole, arguments: "{}" }]],
      ["no id", [named({ index: 0 }, '{"x":1}')], [{ ...whole, callId: "call_c_0" }]],
      [
        "index 0 for all",
        [named({ index: 0, id: "a" }, "{}"), named({ index: 0, id: "b" }, "{}")],
        [
          { ...whole, arguments: "{}" },
          { ...whole, callId: "b", arguments: "{}" },
        ],
      ],
      ["cut by the length limit", [named({ index: 0, id: "a" }, '{"x')], [{ ...whole, arguments: '{"x' }]],
    ];
    for (const [shape, deltas, expected] of shapes) assert.deepEqual(calls(...deltas), expected, shape);
  });

  test("begins a new message for text after a tool call", () => {
    const tool = { tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "{}" } }] };
    const said = decode({ content: "one" }, tool, { content: "two" }, "stop");
    assert.deepEqual(
      said.map((event) => `${event.type}${"index" in event ? ` ${event.index}` : ""}`),
      [
        "start",
        "item-start 0",
        "text-delta 0",
        "item-end 0",
        "item-start 1",
        "arguments-delta 1",
        "item-start 2",
        "text-delta 2",
        "item-end 2",
        "item-end 1",
        "finish",
      ],
    );
  });

  test("reads reasoning of every vendor, and keeps its state with this dialect", () => {
    const detail = { type: "reasoning.text", text: "Hm", signature: "s", format: "f", index: 0 };
    const spoken = [
      { reasoning_content: "Hm" },
      { reasoning: "Hm" },
      { content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm" }] }] },
      { reasoning: "Hm", reasoning_details: [detail] },
    ];
    for (const delta of spoken) {
      assert.deepEqual(
        decode(delta).filter((event) => event.type === "reasoning-delta"),
        [{ type: "reasoning-delta", index: 0, text: "Hm" }],
      );
    }
    const [state] = decode({ reasoning_details: [detail] }).filter((event) => event.type === "reasoning-opaque");
    assert.deepEqual(state?.opaque, {
      origin: "openai-chat",
      kind: "reasoning_details",
      value: JSON.stringify({ type: "reasoning.text", signature: "s", format: "f", index: 0 }),
    });
  });

  test("says refusals as refusals, and finishes once", () => {
    const said = decode({ refusal: "No." }, "content_filter", "stop", { content: "late" });
    assert.deepEqual(said.slice(2), [
      { type: "refusal-delta", index: 0, text: "No." },
      { type: "item-end", index: 0 },
      { type: "finish", finish: { reason: "content-filter", native: "content_filter", stopSequence: null } },
    ]);
  });
});
