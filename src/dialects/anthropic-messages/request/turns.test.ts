import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Item, OpaqueState, Role } from "../../canonical.ts";
import type { Tracking } from "./blocks.ts";
import { encodeConversation, resumesWithoutThinking, type Conversation } from "./turns.ts";

const OLD_MODEL = "claude-opus-4-6";
const NEW_MODEL = "claude-opus-4-8";

function say(role: Role, ...texts: string[]): Item {
  return { type: "message", role, name: null, parts: texts.map((text) => ({ type: "text", text })) };
}

function call(callId: string, args = "{}", name = "look_up"): Item {
  return { type: "tool-call", callId, name, arguments: args };
}

function result(callId: string, text: string, isError = false): Item {
  return { type: "tool-result", callId, parts: [{ type: "text", text }], isError };
}

function think(text: string, ...opaque: OpaqueState[]): Item {
  return { type: "reasoning", text, opaque };
}

function signed(value: string): OpaqueState {
  return { origin: "anthropic-messages", kind: "signature", value };
}

function encode(items: readonly Item[], model = OLD_MODEL): Conversation & { losses: string[] } {
  const tracking: Tracking = { losses: new Set(), cacheBreakpoints: 0 };
  return { ...encodeConversation(items, model, tracking), losses: [...tracking.losses] };
}

function text(value: string): { type: "text"; text: string } {
  return { type: "text", text: value };
}

function refuses(items: readonly Item[], code: string, param: string): void {
  assert.throws(
    () => encode(items),
    (thrown) => thrown instanceof HeadgateError && thrown.code === code && thrown.param === param,
  );
}

test("keeps the order and number of system and developer texts at the front", () => {
  const { system, turns, losses } = encode([say("system", "a", "b"), say("developer", "c"), say("user", "hi")]);
  assert.deepEqual(system, [text("a"), text("b"), text("c")]);
  assert.deepEqual(turns, [{ role: "user", content: [text("hi")] }]);
  assert.deepEqual(losses, []);
});

test("keeps later system text where it was said, as tagged user text, and reports it", () => {
  const { system, turns, losses } = encode([
    say("system", "a"),
    say("user", "hi"),
    say("assistant", "hello"),
    say("system", "Be terse."),
    say("user", "go on"),
  ]);
  assert.deepEqual(system, [text("a")]);
  assert.deepEqual(turns.at(-1), {
    role: "user",
    content: [text("<system>\nBe terse.\n</system>"), text("go on")],
  });
  assert.deepEqual(losses, ["messages.role=system"]);
});

test("sends later system text as a system turn to models that take one where the API allows it", () => {
  const items = [
    say("user", "hi"),
    say("system", "a"),
    say("developer", "b"),
    say("assistant", "ok"),
    say("user", "x"),
    say("system", "c"),
  ];
  const { turns, losses } = encode(items, NEW_MODEL);
  assert.deepEqual(turns, [
    { role: "user", content: [text("hi")] },
    { role: "system", content: [text("a"), text("b")] },
    { role: "assistant", content: [text("ok")] },
    { role: "user", content: [text("x")] },
    { role: "system", content: [text("c")] },
  ]);
  assert.deepEqual(losses, []);
});

test("tags system text that no system turn may hold, between user turns or after an assistant turn", () => {
  const between = encode([say("user", "a"), say("system", "s"), say("user", "b")], NEW_MODEL);
  assert.deepEqual(between.turns, [{ role: "user", content: [text("a"), text("<system>\ns\n</system>"), text("b")] }]);
  const after = encode([say("user", "a"), say("assistant", "b"), say("system", "s")], NEW_MODEL);
  assert.deepEqual(after.turns.at(-1), { role: "user", content: [text("<system>\ns\n</system>")] });
  assert.deepEqual(after.losses, ["messages.role=system"]);
});

test("lets user and assistant take turns and gives neighbours of one role one turn", () => {
  const { turns } = encode([
    say("user", "a"),
    say("user", "b"),
    say("assistant", "c"),
    say("assistant", "d"),
    say("user", "e"),
  ]);
  assert.deepEqual(turns, [
    { role: "user", content: [text("a"), text("b")] },
    { role: "assistant", content: [text("c"), text("d")] },
    { role: "user", content: [text("e")] },
  ]);
});

test("merges tool results into one user turn, first in it, with errors marked", () => {
  const { turns } = encode([
    say("user", "go"),
    say("assistant", "Looking."),
    call("toolu_A", '{"q":"ü"}'),
    call("toolu_B"),
    say("system", "s"),
    result("toolu_A", "found"),
    result("toolu_B", "no", true),
    say("user", "and?"),
  ]);
  assert.deepEqual(turns.slice(1), [
    {
      role: "assistant",
      content: [
        text("Looking."),
        { type: "tool_use", id: "toolu_A", name: "look_up", input: { q: "ü" } },
        { type: "tool_use", id: "toolu_B", name: "look_up", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "toolu_A", content: [text("found")] },
        { type: "tool_result", tool_use_id: "toolu_B", content: [text("no")], is_error: true },
        text("<system>\ns\n</system>"),
        text("and?"),
      ],
    },
  ]);
});

test("carries images inside tool results, and a result without content", () => {
  const { turns } = encode([
    say("user", "go"),
    call("a"),
    call("b"),
    {
      type: "tool-result",
      callId: "a",
      parts: [{ type: "image", source: { from: "base64", mediaType: "image/png", data: "iVBO" }, detail: null }],
      isError: false,
    },
    result("b", ""),
  ]);
  assert.deepEqual(turns.at(-1)?.content, [
    {
      type: "tool_result",
      tool_use_id: "a",
      content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } }],
    },
    { type: "tool_result", tool_use_id: "b" },
  ]);
});

test("replays its own thinking unmodified and in order, text, signature-only and redacted", () => {
  const { turns, losses } = encode([
    say("user", "go"),
    think("Hm – ü ", signed("EqQB+/==")),
    think("", signed("c2ln")),
    think("", { origin: "anthropic-messages", kind: "redacted_thinking", value: "EmwK" }),
    say("assistant", "Looking."),
    call("toolu_A"),
    result("toolu_A", "x"),
  ]);
  assert.deepEqual(turns[1]?.content.slice(0, 4), [
    { type: "thinking", thinking: "Hm – ü ", signature: "EqQB+/==" },
    { type: "thinking", thinking: "", signature: "c2ln" },
    { type: "redacted_thinking", data: "EmwK" },
    text("Looking."),
  ]);
  assert.deepEqual(losses, []);
});

test("never sends foreign opaque state or unsigned reasoning, and reports both", () => {
  const foreign = encode([
    say("user", "go"),
    think("", { origin: "openai-responses", kind: "encrypted_content", value: "gAAA" }),
    say("assistant", "ok"),
  ]);
  assert.deepEqual(foreign.turns[1]?.content, [text("ok")]);
  assert.deepEqual(foreign.losses, ["reasoning"]);
  const unsigned = encode([say("user", "go"), think("plain thoughts"), say("assistant", "ok")]);
  assert.ok(!JSON.stringify(unsigned.turns).includes("plain thoughts"));
  assert.deepEqual(unsigned.losses, ["reasoning"]);
});

test("reads tool arguments without rounding numbers", () => {
  const { turns } = encode([say("user", "go"), call("a", '{"id":12345678901234567890,"big":1e400,"x":[0.1,-3]}')]);
  const block = turns[1]?.content[0];
  assert.ok(block?.type === "tool_use");
  assert.equal(JSON.stringify(block.input), '{"id":12345678901234567890,"big":1e400,"x":[0.1,-3]}');
});

test("takes empty arguments as an empty object and refuses broken ones by name", () => {
  const { turns } = encode([say("user", "go"), call("a", " ")]);
  assert.deepEqual(turns[1]?.content, [{ type: "tool_use", id: "a", name: "look_up", input: {} }]);
  for (const broken of ['{"q":', "[1]", "null", '"x"', '{"n":12345678901234567890,}']) {
    refuses([say("user", "go"), call("a", broken)], "invalid_value", "messages.tool_calls.function.arguments");
  }
});

test("writes call ids of other providers in the API's alphabet, the same in call and result", () => {
  const { turns } = encode([say("user", "go"), call("functions.look_up:0"), result("functions.look_up:0", "x")]);
  const [use] = turns[1]?.content ?? [];
  const [answer] = turns[2]?.content ?? [];
  assert.ok(use?.type === "tool_use" && answer?.type === "tool_result");
  assert.match(use.id, /^[a-zA-Z0-9_-]+$/);
  assert.equal(answer.tool_use_id, use.id);
  refuses([say("user", "go"), call("")], "invalid_value", "messages.tool_call_id");
});

test("keeps different call ids different, whatever they look like", () => {
  const ids = ["a.b", "a_2e_b", "hg-YQAuAGIA", "é", "e\u0301", "\ud800", "\ud801", "toolu_A-1"];
  const { turns } = encode([say("user", "go"), ...ids.map((id) => call(id))]);
  const written = (turns[1]?.content ?? []).map((block) => (block.type === "tool_use" ? block.id : ""));
  assert.equal(new Set(written).size, ids.length);
  for (const id of written) assert.match(id, /^[a-zA-Z0-9_-]+$/);
  assert.ok(written.includes("toolu_A-1"));
});

test("lets a conversation of system text only be a user turn, tagged, and reports it", () => {
  const { system, turns, losses } = encode([say("system", "a"), say("developer", "b")], NEW_MODEL);
  assert.deepEqual(system, []);
  const content = [text("<system>\na\n</system>"), text("<system>\nb\n</system>")];
  assert.deepEqual(turns, [{ role: "user", content }]);
  assert.deepEqual(losses, ["messages.role=system"]);
});

test("leaves out empty text, which says nothing and which the API refuses", () => {
  const { turns } = encode([say("user", "", "go"), say("assistant", ""), call("a")]);
  assert.deepEqual(turns[0]?.content, [text("go")]);
  assert.deepEqual(
    turns[1]?.content.map((block) => block.type),
    ["tool_use"],
  );
});

test("refuses a conversation without a turn, and media where only text may stand", () => {
  refuses([say("system", "")], "invalid_value", "messages");
  refuses([say("user", "")], "invalid_value", "messages");
  const image = { type: "image", source: { from: "url", url: "https://example.com/a.png" }, detail: null } as const;
  for (const role of ["system", "assistant"] as const) {
    refuses(
      [{ type: "message", role, name: null, parts: [image] }, say("user", "hi")],
      "unsupported_parameter",
      "messages",
    );
  }
});

test("says an earlier refusal again as the assistant's own words, and reports a participant's name", () => {
  const { turns, losses } = encode([
    { type: "message", role: "user", name: "ada", parts: [{ type: "text", text: "hi" }] },
    { type: "message", role: "assistant", name: null, parts: [{ type: "refusal", text: "I will not." }] },
  ]);
  assert.deepEqual(turns[1]?.content, [text("I will not.")]);
  assert.deepEqual(losses, ["messages.name"]);
});

test("tells whether results are due to calls made without thinking", () => {
  const plain = encode([say("user", "go"), call("a"), result("a", "x")]);
  assert.equal(resumesWithoutThinking(plain.turns), true);
  const thought = encode([say("user", "go"), think("", signed("s")), call("a"), result("a", "x")]);
  assert.equal(resumesWithoutThinking(thought.turns), false);
  const settled = encode([
    say("user", "go"),
    call("a"),
    result("a", "x"),
    say("assistant", "done"),
    say("user", "next"),
  ]);
  assert.equal(resumesWithoutThinking(settled.turns), false);
});
