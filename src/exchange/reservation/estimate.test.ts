import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Price } from "../../accounting/price-book.ts";
import { createPrice } from "../../accounting/prices/rates.ts";
import type { DialectName } from "../../dialects/dialect.ts";
import { findDialect } from "../../dialects/registry.ts";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import type { ChosenTarget } from "../attempt/choose.ts";
import { estimateAttempt } from "./estimate.ts";

const addedTokens = 1_024;
const imageTokens = 8_192;
const documentTokens = 65_536;
const contextTokens = 200_000;

function estimateOf(dialect: DialectName, fields: object, model = "m", standard: Price | null = null) {
  const facts = { model, maxOutputTokens: null };
  const body = Buffer.from(JSON.stringify({ model: "m", max_tokens: 10, ...fields }));
  const view = findDialect(dialect).inbound!.view(parseJsonDocument(body, { depth: 32 }));
  const price = standard?.servedAt(view.serviceTier) ?? null;
  const chosen = { target: { facts, contextTokens }, price, mayServe: null } as unknown as ChosenTarget;
  return { bytes: body.byteLength, ...estimateAttempt(chosen, view, "chat", 1_000, null) };
}

/** What is expected beyond what the body's bytes stand for, and the worst case. */
function inputOf(dialect: DialectName, fields: object, model?: string) {
  const { bytes, whole, worst } = estimateOf(dialect, fields, model);
  return { extra: whole.usage.inputTokens - bytes - addedTokens, worst: worst.usage.inputTokens };
}

function user(...content: object[]) {
  return { messages: [{ role: "user", content }] };
}

const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };
const file = { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } };
const text = { type: "text", text: "?" };
const picture = { type: "image_url", image_url: { url: "https://example.com/a.png" } };

describe("what a request may use", () => {
  test("counts each image and document of a Messages request, those that a tool gave back too", () => {
    const call = { type: "tool_use", id: "t", name: "look", input: {} };
    const result = { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "here" }, image] };
    const messages = [
      { role: "user", content: [text, image, file] },
      { role: "assistant", content: [{ type: "thinking", thinking: "Hm.", signature: "s" }, call] },
      { role: "user", content: [result] },
    ];
    assert.equal(inputOf("anthropic-messages", { messages }).extra, 2 * imageTokens + documentTokens);
  });

  test("counts images and files of a chat request, and videos", () => {
    const video = { type: "video_url", video_url: { url: "https://example.com/a.mp4" } };
    const { extra } = inputOf("openai-chat", user(text, picture, { type: "file", file: { file_id: "f" } }, video));
    assert.equal(extra, imageTokens + 2 * documentTokens);
  });

  test("counts as much for an image as the model does that counts the most", () => {
    assert.equal(inputOf("openai-chat", user(picture), "gpt-4o-mini-2024-07-18").extra, 49_152);
  });

  test("counts sound by its bytes, but that of an earlier answer as something unknown", () => {
    const sound = { type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } };
    assert.equal(inputOf("openai-chat", user(sound)).extra, 0);
    const messages = [
      { role: "assistant", audio: { id: "audio_1" } },
      { role: "user", content: "?" },
    ];
    assert.equal(inputOf("openai-chat", { messages }).extra, documentTokens);
  });

  test("counts a document of text by its bytes, and one of parts by its parts", () => {
    const plain = { type: "document", source: { type: "text", media_type: "text/plain", data: "words" } };
    const parts = { type: "document", source: { type: "content", content: [text, image] } };
    assert.equal(inputOf("anthropic-messages", user(plain, parts)).extra, imageTokens);
  });

  test("is at the worst a context window where a document's length is not known", () => {
    assert.equal(inputOf("anthropic-messages", user(file)).worst, contextTokens);
    assert.equal(inputOf("openai-chat", user({ type: "file", file: { file_id: "f" } })).worst, contextTokens);
  });

  test("has one estimate for all policies where nothing is unknown", () => {
    const { first, whole, worst } = estimateOf("anthropic-messages", user(text, image));
    assert.ok(first === whole && whole === worst);
  });
});

describe("what a request may cost", () => {
  const dollar = (output: string) => ({ version: output, rates: { output } });
  const price = createPrice("standard", { output: "2" }, (_, tier) =>
    tier === "flex" ? dollar("1") : tier === "priority" ? dollar("4") : null,
  );
  const costOf = (tier: string | undefined) => {
    const { whole, worst } = estimateOf("openai-chat", { ...user(text), service_tier: tier }, "m", price);
    return [whole.costNanoUsd, worst.costNanoUsd];
  };

  test("is expected to be that of the tier asked for, and at the worst that of the dearest that may serve", () => {
    assert.deepEqual(costOf(undefined), [20_000n, 40_000n]);
    assert.deepEqual(costOf("auto"), [20_000n, 40_000n]);
    assert.deepEqual(costOf("default"), [20_000n, 20_000n]);
    assert.deepEqual(costOf("flex"), [10_000n, 20_000n]);
    assert.deepEqual(costOf("priority"), [40_000n, 40_000n]);
  });
});

const messages = [{ role: "user", content: "?" }];
const search = { type: "web_search_20250305", name: "web_search" };

describe("what a provider may do by itself", () => {
  for (const [what, dialect, fields] of [
    ["the caller's own tools", "anthropic-messages", { tools: [{ name: "f", input_schema: { type: "object" } }] }],
    ["the caller's own functions", "openai-chat", { tools: [{ type: "function", function: { name: "f" } }] }],
    ["tools that the caller runs", "anthropic-messages", { tools: [{ type: "bash_20250124", name: "bash" }] }],
    [
      "plugins that search nothing",
      "openai-chat",
      { plugins: [{ id: "response-healing" }, { id: "web", enabled: false }] },
    ],
    ["a live search that is off", "openai-chat", { search_parameters: { mode: "off" } }],
    ["sets of tools that the caller runs", "anthropic-messages", { tools: [{ type: "browser_toolset_20260801" }] }],
  ] as const) {
    test(`is nothing with ${what}`, () => {
      const { whole, worst } = estimateOf(dialect, { messages, ...fields });
      assert.equal(whole.usage.searchUnits, 0);
      assert.equal(worst, whole);
    });
  }

  for (const [what, dialect, fields, model] of [
    ["a search", "anthropic-messages", { tools: [search] }, "m"],
    ["servers of tools", "anthropic-messages", { mcp_servers: [{ type: "url", url: "u", name: "n" }] }, "m"],
    ["a search of OpenAI's", "openai-chat", { web_search_options: {} }, "m"],
    ["a model that always searches", "openai-chat", {}, "sonar-pro"],
    ["a plugin that searches", "openai-chat", { plugins: [{ id: "web", max_results: 3 }] }, "m"],
    ["a variant that searches", "openai-chat", {}, "openai/gpt-5:online"],
    ["another model that searches", "openai-chat", { models: ["openai/gpt-5:online"] }, "m"],
    ["a live search", "openai-chat", { search_parameters: {} }, "m"],
  ] as const) {
    test(`is 32 calls with ${what}, and ten windows of what they bring in at the worst`, () => {
      const { bytes, whole, worst } = estimateOf(dialect, { messages, ...fields }, model);
      assert.equal(whole.usage.searchUnits, 32);
      assert.equal(whole.usage.inputTokens, bytes + addedTokens);
      assert.equal(worst.usage.inputTokens, 10 * contextTokens);
      assert.equal(worst.usage.outputTokens, 10);
    });
  }

  test("is as many calls as the request states, if it does so for all of its tools", () => {
    const fetch = { type: "web_fetch_20250910", name: "web_fetch" };
    const callsOf = (...tools: object[]) =>
      estimateOf("anthropic-messages", { messages, tools }).worst.usage.searchUnits;
    assert.equal(callsOf({ ...search, max_uses: 3 }), 3);
    assert.equal(callsOf({ ...search, max_uses: 60 }, { ...fetch, max_uses: 2 }), 62);
    assert.equal(callsOf({ ...search, max_uses: 3 }, fetch), 32);
  });

  test("is as many sources as a live search may use", () => {
    const callsOf = (max: unknown) =>
      estimateOf("openai-chat", { messages, search_parameters: { mode: "on", max_search_results: max } }).whole.usage
        .searchUnits;
    assert.equal(callsOf(5), 5);
    assert.equal(callsOf(50), 50);
    assert.equal(callsOf(1e9), 1000);
    assert.equal(callsOf("many"), 32);
  });

  test("is a compaction of a window and a summary, where the request asks for one", () => {
    const compaction = { context_management: { edits: [{ type: "compact_20260112" }] } };
    const { whole, worst } = estimateOf("anthropic-messages", { messages, ...compaction });
    assert.deepEqual([whole.usage.outputTokens, whole.usage.searchUnits], [10, 0]);
    assert.deepEqual([worst.usage.inputTokens, worst.usage.outputTokens], [2 * contextTokens, 20]);
  });

  test("is an advisor's turn beside each of its own", () => {
    const tools = [{ type: "advisor_20260301", name: "advisor", model: "claude-opus-4-8" }];
    const { worst } = estimateOf("anthropic-messages", { messages, tools });
    assert.deepEqual([worst.usage.inputTokens, worst.usage.outputTokens], [20 * contextTokens, 20]);
  });
});
