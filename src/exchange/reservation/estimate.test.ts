import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DialectName } from "../../dialects/dialect.ts";
import { findDialect } from "../../dialects/registry.ts";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import type { ChosenTarget } from "../attempt/choose.ts";
import { estimateAttempt } from "./estimate.ts";

const chosen = { target: { facts: { model: "m", maxOutputTokens: null } }, price: null } as unknown as ChosenTarget;
const addedTokens = 1_024;
const imageTokens = 8_192;
const documentTokens = 65_536;

/** Beyond what the body's bytes stand for. */
function extraOf(dialect: DialectName, fields: object) {
  const body = Buffer.from(JSON.stringify({ model: "m", max_tokens: 10, ...fields }));
  const view = findDialect(dialect).inbound!.view(parseJsonDocument(body, { depth: 32 }));
  const { usage } = estimateAttempt(chosen, view, "chat", 1_000, null).worst;
  return { tokens: usage.inputTokens - body.byteLength - addedTokens, searches: usage.searchUnits };
}

const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };
const file = { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } };

describe("the worst case of a request", () => {
  test("counts each image and document of a Messages request, those that a tool gave back too", () => {
    const call = { type: "tool_use", id: "t", name: "look", input: {} };
    const result = { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "here" }, image] };
    const messages = [
      { role: "user", content: [{ type: "text", text: "?" }, image, file] },
      { role: "assistant", content: [{ type: "thinking", thinking: "Hm.", signature: "s" }, call] },
      { role: "user", content: [result] },
    ];
    assert.equal(extraOf("anthropic-messages", { messages }).tokens, 2 * imageTokens + documentTokens);
  });

  test("counts images and files of a chat request", () => {
    const parts = [
      { type: "text", text: "?" },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    ];
    const messages = [{ role: "user", content: [...parts, { type: "file", file: { file_id: "f" } }] }];
    assert.equal(extraOf("openai-chat", { messages }).tokens, imageTokens + documentTokens);
  });

  for (const [what, dialect, fields, searches] of [
    [
      "the caller's own tools",
      "anthropic-messages",
      { tools: [{ name: "f", input_schema: { type: "object" } }] },
      false,
    ],
    ["the caller's own functions", "openai-chat", { tools: [{ type: "function", function: { name: "f" } }] }, false],
    ["tools that the caller runs", "anthropic-messages", { tools: [{ type: "bash_20250124", name: "bash" }] }, false],
    ["a search", "anthropic-messages", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, true],
    ["servers of tools", "anthropic-messages", { mcp_servers: [{ type: "url", url: "u", name: "n" }] }, true],
  ] as const) {
    test(`${searches ? "holds" : "does not hold"} for calls of the provider itself with ${what}`, () => {
      const messages = [{ role: "user", content: "?" }];
      assert.equal(extraOf(dialect, { messages, ...fields }).searches > 0, searches);
    });
  }
});
