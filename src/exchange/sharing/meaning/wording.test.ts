import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findDialect } from "../../../dialects/registry.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { numbersIn, wordsToCompare } from "./wording.ts";

function wordsOf(body: object): string | null {
  const { inbound } = findDialect("openai-chat");
  assert.ok(inbound);
  const bytes = Buffer.from(JSON.stringify({ model: "m", ...body }));
  return wordsToCompare(inbound.view(parseJsonDocument(bytes, { depth: 16 })));
}

const user = (content: unknown): object => ({ role: "user", content });

describe("the words of a request that are compared", () => {
  test("are those of its last message, in one piece or in parts", () => {
    const before = [
      { role: "developer", content: "Be brief." },
      user("Hi"),
      { role: "assistant", content: [{ type: "text", text: "Hello" }] },
    ];
    assert.equal(wordsOf({ messages: [...before, user("Why?")] }), "Why?");
    const parts = [
      { type: "text", text: "Why" },
      { type: "text", text: "not?" },
    ];
    assert.equal(wordsOf({ messages: [user(parts)] }), "Why\nnot?");
  });

  const file = { type: "file", file: { file_id: "f" } };
  const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
  for (const [what, body] of [
    ["tools", { messages: [user("Hi")], tools: [{ type: "function", function: { name: "f" } }] }],
    ["a search", { messages: [user("Hi")], web_search_options: {} }],
    ["servers of tools", { messages: [user("Hi")], mcp_servers: [{ type: "url", url: "u", name: "n" }] }],
    ["several choices", { messages: [user("Hi")], n: 2 }],
    ["spoken answers", { messages: [user("Hi")], modalities: ["text", "audio"] }],
    ["a file in an earlier turn", { messages: [user([file]), { role: "assistant", content: "Yes" }, user("Hi")] }],
    [
      "calls of tools in an earlier turn",
      {
        messages: [
          { role: "assistant", content: "", tool_calls: [call] },
          { role: "tool", tool_call_id: "c", content: "x" },
          user("Hi"),
        ],
      },
    ],
    ["an answer to be continued", { messages: [user("Hi"), { role: "assistant", content: "He" }] }],
    ["nothing but white space", { messages: [user(" \n")] }],
    ["more than ten messages", { messages: Array.from({ length: 11 }, () => user("Hi")) }],
    ["a last message that is too long", { messages: [user("x".repeat(8_001))] }],
  ] as const) {
    test(`there are none in a request with ${what}`, () => {
      assert.equal(wordsOf(body), null);
    });
  }

  test("there are some at the bounds", () => {
    assert.equal(wordsOf({ messages: Array.from({ length: 10 }, () => user("Hi")) }), "Hi");
    assert.equal(wordsOf({ messages: [user("x".repeat(8_000))] })?.length, 8_000);
  });
});

test("numbers are told in their order, in any script", () => {
  assert.deepEqual(numbersIn("from 17.5 to ٢٦, twice"), ["17", "5", "٢٦"]);
  assert.deepEqual(numbersIn("none"), []);
});
