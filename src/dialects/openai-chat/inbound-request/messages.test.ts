import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError, type ErrorCode } from "../../../kernel/errors.ts";
import type { Item, Part } from "../../canonical.ts";
import { decodeMessages } from "./messages.ts";

function decode(...messages: object[]): readonly Item[] {
  const foreign = new Map<string, unknown>();
  const items = decodeMessages({ messages }, foreign);
  assert.equal(foreign.size, 0);
  return items;
}

function parts(...content: object[]): readonly Part[] {
  const [item] = decode({ role: "user", content });
  assert.equal(item?.type, "message");
  return item.parts;
}

function assertRefused(message: object, code: ErrorCode, param: string): void {
  assert.throws(
    () => decode(message),
    (thrown) => thrown instanceof HeadgateError && thrown.code === code && thrown.param === param,
    `${JSON.stringify(message)} should be refused naming ${param}`,
  );
}

const call = { id: "call_1", type: "function", function: { name: "f", arguments: '{"a": 1}' } };

describe("decodeMessages", () => {
  test("keeps system and developer messages in their places, with names", () => {
    assert.deepEqual(
      decode(
        { role: "system", content: "S" },
        { role: "user", name: "ann", content: "U" },
        { role: "developer", content: [{ type: "text", text: "D" }] },
      ),
      [
        { type: "message", role: "system", name: null, parts: [{ type: "text", text: "S" }] },
        { type: "message", role: "user", name: "ann", parts: [{ type: "text", text: "U" }] },
        { type: "message", role: "developer", name: null, parts: [{ type: "text", text: "D" }] },
      ],
    );
  });

  test("takes a tool loop apart: reasoning, text, calls, results", () => {
    const items = decode(
      {
        role: "assistant",
        content: "Let me see.",
        reasoning_content: "Hm.",
        reasoning_details: [{ type: "reasoning.text", text: "Hm.", signature: "s", format: "anthropic-claude-v1" }],
        tool_calls: [call, { ...call, id: "call_2", function: { name: "g", arguments: "" } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "42" },
      { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "43" }] },
    );
    const opaque = [{ origin: "anthropic-messages", kind: "signature", value: "s" }];
    assert.deepEqual(items, [
      { type: "reasoning", text: "Hm.", opaque },
      { type: "message", role: "assistant", name: null, parts: [{ type: "text", text: "Let me see." }] },
      { type: "tool-call", callId: "call_1", name: "f", arguments: '{"a": 1}' },
      { type: "tool-call", callId: "call_2", name: "g", arguments: "" },
      { type: "tool-result", callId: "call_1", parts: [{ type: "text", text: "42" }], isError: false },
      { type: "tool-result", callId: "call_2", parts: [{ type: "text", text: "43" }], isError: false },
    ]);
  });

  test("takes empty content beside tool calls for none, and keeps it elsewhere", () => {
    for (const content of [null, "", [{ type: "text", text: "" }]]) {
      assert.deepEqual(
        decode({ role: "assistant", content, tool_calls: [call] }).map((item) => item.type),
        ["tool-call"],
      );
    }
    assert.deepEqual(
      decode({ role: "assistant", content: "" }).map((item) => item.type),
      ["message"],
    );
  });

  test("takes reasoning without state from either vendor's field", () => {
    for (const field of ["reasoning_content", "reasoning"]) {
      assert.deepEqual(decode({ role: "assistant", content: "x", [field]: "Hm." })[0], {
        type: "reasoning",
        text: "Hm.",
        opaque: [],
      });
    }
    assertRefused(
      { role: "assistant", content: "x", reasoning_details: "Hm." },
      "invalid_value",
      "messages[0].reasoning_details",
    );
  });

  test("takes a whole answer back as it came", () => {
    const answer = {
      role: "assistant",
      content: "x",
      refusal: null,
      annotations: [],
      audio: null,
      function_call: null,
      parsed: {},
    };
    assert.deepEqual(decode(answer), [
      { type: "message", role: "assistant", name: null, parts: [{ type: "text", text: "x" }] },
    ]);
    assert.deepEqual(decode({ role: "assistant", content: null, refusal: "No." }), [
      { type: "message", role: "assistant", name: null, parts: [{ type: "refusal", text: "No." }] },
    ]);
  });

  test("keeps members without a place as foreign, by their path", () => {
    const foreign = new Map<string, unknown>();
    decodeMessages({ messages: [{ role: "user", content: "x", mood: "good", gone: null }] }, foreign);
    assert.deepEqual([...foreign], [["messages[0].mood", "good"]]);
  });

  test("knows which members a message of each role has", () => {
    const members = (message: object): string[] => {
      const foreign = new Map<string, unknown>();
      decodeMessages({ messages: [message] }, foreign);
      return [...foreign.keys()];
    };
    const user = { role: "user", content: "x", refusal: "No.", reasoning_content: "Hm.", tool_calls: [call] };
    assert.deepEqual(members(user), ["messages[0].refusal", "messages[0].reasoning_content", "messages[0].tool_calls"]);
    assert.deepEqual(members({ role: "tool", tool_call_id: "1", name: "f", content: "x" }), ["messages[0].name"]);
    const collected = { ...call, index: 0, function: { ...call.function, parsed_arguments: { a: 1 } } };
    assert.deepEqual(members({ role: "assistant", tool_calls: [collected] }), []);
    const signed = { ...call, extra_content: { google: {} }, function: { ...call.function, mood: 1 } };
    assert.deepEqual(members({ role: "assistant", tool_calls: [signed] }), [
      "messages[0].tool_calls[0].extra_content",
      "messages[0].tool_calls[0].function.mood",
    ]);
  });

  test("keeps an empty text that a cache breakpoint hangs on, beside tool calls too", () => {
    const content = [{ type: "text", text: "", cache_control: { type: "ephemeral" } }];
    assert.deepEqual(
      decode({ role: "assistant", content, tool_calls: [call] }).map((item) => item.type),
      ["message", "tool-call"],
    );
  });

  test("refuses what it cannot place, naming it", () => {
    assertRefused({ role: "function", name: "f", content: "x" }, "unsupported_parameter", "messages[0].role");
    assertRefused({ role: "assistant", audio: { id: "a" } }, "unsupported_parameter", "messages[0].audio");
    assertRefused({ role: "assistant", function_call: {} }, "unsupported_parameter", "messages[0].function_call");
    const custom = { role: "assistant", tool_calls: [{ id: "1", type: "custom", custom: {} }] };
    assertRefused(custom, "unsupported_parameter", "messages[0].tool_calls[0].type");
    const nameless = { role: "assistant", tool_calls: [{ id: "1", function: {} }] };
    assertRefused(nameless, "invalid_value", "messages[0].tool_calls[0].function.name");
    const withoutId = { role: "assistant", tool_calls: [{ function: { name: "f" } }] };
    assertRefused(withoutId, "invalid_value", "messages[0].tool_calls[0].id");
  });
});

describe("content parts", () => {
  test("become text, images, documents and audio", () => {
    assert.deepEqual(
      parts(
        { type: "text", text: "t" },
        { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
        { type: "image_url", image_url: { url: "data:image/PNG;base64,AAAA" } },
        { type: "file", file: { file_id: "file-1" } },
        { type: "file", file: { file_data: "data:application/pdf;base64,BBBB", filename: "b.pdf" } },
        { type: "input_audio", input_audio: { data: "CCCC", format: "mp3" } },
        { type: "refusal", refusal: "No." },
      ),
      [
        { type: "text", text: "t" },
        { type: "image", source: { from: "url", url: "https://example.com/a.png" }, detail: "low" },
        { type: "image", source: { from: "base64", mediaType: "image/png", data: "AAAA" }, detail: null },
        { type: "document", source: { from: "file", fileId: "file-1", origin: "openai-chat" }, name: null },
        { type: "document", source: { from: "base64", mediaType: "application/pdf", data: "BBBB" }, name: "b.pdf" },
        { type: "audio", source: { from: "base64", mediaType: "audio/mpeg", data: "CCCC" } },
        { type: "refusal", text: "No." },
      ],
    );
  });

  test("carry prompt-cache breakpoints in both spellings", () => {
    const text = { type: "text", text: "t" };
    const marks: readonly (readonly [object, string])[] = [
      [{ cache_control: { type: "ephemeral" } }, "5m"],
      [{ cache_control: { type: "ephemeral", ttl: "1h" } }, "1h"],
      [{ prompt_cache_breakpoint: { mode: "explicit" } }, "5m"],
      [{ prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" } }, "1h"],
    ];
    for (const [mark, ttl] of marks) assert.deepEqual(parts({ ...text, ...mark }), [{ ...text, cache: { ttl } }]);
  });

  test("keep members without a place as foreign, by their path", () => {
    const audio = { data: "A", format: "wav", rate: 1 };
    const cases: readonly (readonly [object, string])[] = [
      [{ type: "text", text: "t", mood: 1 }, "mood"],
      [{ type: "refusal", refusal: "No.", cache_control: {} }, "cache_control"],
      [{ type: "image_url", image_url: { url: "https://x", format: "f" } }, "image_url.format"],
      [{ type: "image_url", image_url: { url: "https://x" }, mood: 1 }, "mood"],
      [{ type: "input_audio", input_audio: audio }, "input_audio.rate"],
      [{ type: "file", file: { file_id: "f", pages: 2 } }, "file.pages"],
      [{ type: "text", text: "t", cache_control: { type: "ephemeral", scope: "s" } }, "cache_control.scope"],
      [{ type: "text", text: "t", prompt_cache_breakpoint: { deep: 1 } }, "prompt_cache_breakpoint.deep"],
    ];
    for (const [part, member] of cases) {
      const foreign = new Map<string, unknown>();
      decodeMessages({ messages: [{ role: "user", content: [part] }] }, foreign);
      assert.deepEqual([...foreign.keys()], [`messages[0].content[0].${member}`]);
    }
  });

  test("are refused by name where they say nothing we know", () => {
    const refused: readonly (readonly [object, ErrorCode, string])[] = [
      [{ type: "hologram" }, "unsupported_parameter", "type"],
      [{ type: "text" }, "invalid_value", "text"],
      [{ type: "image_url", image_url: "https://x" }, "invalid_value", "image_url"],
      [{ type: "image_url", image_url: { url: "ftp://x" } }, "invalid_value", "image_url.url"],
      [{ type: "image_url", image_url: { url: "data:image/png,raw" } }, "invalid_value", "image_url.url"],
      [
        { type: "image_url", image_url: { url: "https://x", detail: "original" } },
        "unsupported_parameter",
        "image_url.detail",
      ],
      [{ type: "file", file: {} }, "invalid_value", "file"],
      [{ type: "file", file: { file_data: "AAAA" } }, "invalid_value", "file.file_data"],
      [{ type: "input_audio", input_audio: { data: "A" } }, "invalid_value", "input_audio.format"],
      [{ type: "text", text: "t", cache_control: { ttl: "2h" } }, "invalid_value", "cache_control.ttl"],
    ];
    for (const [part, code, member] of refused) {
      assertRefused({ role: "user", content: [part] }, code, `messages[0].content[0].${member}`);
    }
  });
});
