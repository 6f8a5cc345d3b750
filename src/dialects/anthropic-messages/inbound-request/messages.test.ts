import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest, Item } from "../../canonical.ts";
import { encodeCallId } from "../call-id.ts";
import { encodeSignature } from "../foreign-signature.ts";
import { viewRequest } from "../inbound/view.ts";
import { decodeRequest } from "./request.ts";

function decode(body: object | string): CanonicalRequest {
  const wire = typeof body === "string" ? body : JSON.stringify({ model: "m", max_tokens: 10, ...body });
  return decodeRequest(viewRequest(parseJsonDocument(Buffer.from(wire), { depth: 32 })));
}

function said(...messages: object[]): readonly Item[] {
  return decode({ messages }).items;
}

function user(...content: object[]): object {
  return { role: "user", content };
}

function assistant(...content: object[]): object {
  return { role: "assistant", content };
}

const text = (words: string): { type: "text"; text: string } => ({ type: "text", text: words });
const message = (role: string, ...parts: object[]): object => ({ type: "message", role, name: null, parts });

function refuses(content: unknown, path: string, role = "user", code = "invalid_value"): void {
  assert.throws(
    () =>
      decode({
        messages: [
          { role: "user", content: "hi" },
          { role, content },
        ],
      }),
    (thrown) =>
      thrown instanceof HeadgateError && thrown.code === code && thrown.param === `messages[1].content[0].${path}`,
    path,
  );
}

describe("the conversation of a Messages request", () => {
  test("begins with the system text, as one text or in blocks with their cache breakpoints", () => {
    const messages = [{ role: "user", content: "hi" }];
    const begun = (system: unknown): unknown => decode({ system, messages }).items.slice(0, -1);
    assert.deepEqual(begun("Be brief."), [message("system", text("Be brief."))]);
    assert.deepEqual(
      begun([
        { type: "text", text: "a", cache_control: null },
        { type: "text", text: "b", cache_control: { type: "ephemeral" } },
        { type: "text", text: "c", cache_control: { type: "ephemeral", ttl: "1h" } },
      ]),
      [message("system", text("a"), { ...text("b"), cache: { ttl: "5m" } }, { ...text("c"), cache: { ttl: "1h" } })],
    );
    assert.deepEqual(begun(""), []);
    assert.deepEqual(begun([]), []);
  });

  test("has no place for the line for Anthropic's billing, which is another for every request", () => {
    const line = "x-anthropic-billing-header: cc_version=2.1; cch=36ee5;";
    const decoded = (system: unknown): unknown => {
      const { items, foreign } = decode({ system, messages: [{ role: "user", content: "hi" }] });
      return [items[0], foreign];
    };
    const brief = message("system", text("Be brief."));
    assert.deepEqual(decoded([text(line), text("Be brief.")]), [brief, { "x-anthropic-billing-header": line }]);
    assert.deepEqual(decoded(`${line}\nBe brief.`), [brief, { "x-anthropic-billing-header": `${line}\n` }]);
    assert.deepEqual(decoded([text("Be brief."), text(line)]), [message("system", text("Be brief."), text(line)), {}]);
  });

  test("keeps system text where it was said", () => {
    assert.deepEqual(
      said({ role: "user", content: "a" }, { role: "system", content: [text("b")] }, assistant(text("c"))),
      [message("user", text("a")), message("system", text("b")), message("assistant", text("c"))],
    );
  });

  test("takes images and documents from wherever they come", () => {
    const image = (source: object): object => ({ type: "image", source });
    const document = (source: object, more: object = {}): object => ({ type: "document", source, ...more });
    const items = said(
      user(
        image({ type: "base64", media_type: "image/PNG", data: "iVBO" }),
        image({ type: "url", url: "https://example.com/a.png" }),
        image({ type: "file", file_id: "file_1" }),
        document({ type: "base64", media_type: "application/pdf", data: "JVBE" }, { title: "a", citations: {} }),
        document({ type: "text", media_type: "text/plain", data: "Grüße" }, { citations: { enabled: false } }),
        document({ type: "content", content: [text("a"), text("b")] }),
        document({ type: "content", content: "c" }),
        document({ type: "url", url: "https://example.com/a.pdf" }, { cache_control: { type: "ephemeral" } }),
        document({ type: "file", file_id: "file_2" }),
      ),
    );
    const plain = (data: string): object => ({
      type: "document",
      source: { from: "base64", mediaType: "text/plain", data: Buffer.from(data).toString("base64") },
      name: null,
    });
    const picture = { type: "image", detail: null };
    const origin = "anthropic-messages";
    assert.deepEqual(items, [
      message(
        "user",
        { ...picture, source: { from: "base64", mediaType: "image/png", data: "iVBO" } },
        { ...picture, source: { from: "url", url: "https://example.com/a.png" } },
        { ...picture, source: { from: "file", fileId: "file_1", origin } },
        { type: "document", source: { from: "base64", mediaType: "application/pdf", data: "JVBE" }, name: "a" },
        plain("Grüße"),
        plain("a\nb"),
        plain("c"),
        {
          type: "document",
          source: { from: "url", url: "https://example.com/a.pdf" },
          name: null,
          cache: { ttl: "5m" },
        },
        { type: "document", source: { from: "file", fileId: "file_2", origin }, name: null },
      ),
    ]);
  });

  test("holds reasoning, calls and results in their order, between what was said", () => {
    const items = said(
      { role: "user", content: "go" },
      assistant(
        { type: "thinking", thinking: "Hm.", signature: "c2ln" },
        { type: "redacted_thinking", data: "EmwK" },
        text("Looking."),
        { type: "tool_use", id: "toolu_1", name: "f", input: { city: "Köln" } },
        { type: "tool_use", id: "toolu_2", name: "g", input: {} },
      ),
      user(
        { type: "tool_result", tool_use_id: "toolu_1", content: "rain" },
        {
          type: "tool_result",
          tool_use_id: "toolu_2",
          is_error: true,
          content: [text("no"), { type: "image", source: { type: "url", url: "https://example.com/a.png" } }],
        },
        text("and?"),
        text("well?"),
      ),
    );
    const opaque = (kind: string, value: string): object[] => [{ origin: "anthropic-messages", kind, value }];
    assert.deepEqual(items, [
      message("user", text("go")),
      { type: "reasoning", text: "Hm.", opaque: opaque("signature", "c2ln") },
      { type: "reasoning", text: "", opaque: opaque("redacted_thinking", "EmwK") },
      message("assistant", text("Looking.")),
      { type: "tool-call", callId: "toolu_1", name: "f", arguments: '{"city":"Köln"}' },
      { type: "tool-call", callId: "toolu_2", name: "g", arguments: "{}" },
      { type: "tool-result", callId: "toolu_1", parts: [text("rain")], isError: false },
      {
        type: "tool-result",
        callId: "toolu_2",
        parts: [text("no"), { type: "image", source: { from: "url", url: "https://example.com/a.png" }, detail: null }],
        isError: true,
      },
      message("user", text("and?"), text("well?")),
    ]);
  });

  test("gives back to other providers the ids and the state that were theirs", () => {
    const callId = "functions.look_up:0";
    const state = { origin: "openai-chat", kind: "reasoning_details", value: "{}" };
    const items = said(
      { role: "user", content: "go" },
      assistant(
        { type: "thinking", thinking: "Hm.", signature: encodeSignature([state]) },
        { type: "tool_use", id: encodeCallId(callId), name: "f", input: {} },
      ),
      user({ type: "tool_result", tool_use_id: encodeCallId(callId) }, { type: "tool_result", tool_use_id: "hg-no" }),
    );
    assert.deepEqual(items.slice(1), [
      { type: "reasoning", text: "Hm.", opaque: [state] },
      { type: "tool-call", callId, name: "f", arguments: "{}" },
      { type: "tool-result", callId, parts: [], isError: false },
      { type: "tool-result", callId: "hg-no", parts: [], isError: false },
    ]);
  });

  test("keeps every digit of what a tool was called with", () => {
    const input = '{"id":9223372036854775807,"share":0.1}';
    const { items } = decode(
      `{"model":"m","max_tokens":5,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":${input}}]}]}`,
    );
    assert.equal(items[0]?.type === "tool-call" && items[0].arguments, input);
  });

  test("puts what has no place aside under its path", () => {
    const cache_control = { type: "ephemeral" };
    const { foreign } = decode({
      messages: [
        { role: "user", content: "a", mood: "good" },
        assistant(
          { ...text("b"), citations: [{ type: "char_location" }] },
          { type: "tool_use", id: "t", name: "f", input: {}, caller: { type: "direct" } },
        ),
        user(
          { type: "tool_result", tool_use_id: "t", content: "c", cache_control },
          {
            type: "document",
            source: { type: "text", media_type: "text/plain", data: "d" },
            context: "old",
            citations: { enabled: true },
          },
        ),
      ],
    });
    assert.deepEqual(foreign, {
      "messages[0].mood": "good",
      "messages[1].content[0].citations": [{ type: "char_location" }],
      "messages[1].content[1].caller": { type: "direct" },
      "messages[2].content[0].cache_control": cache_control,
      "messages[2].content[1].context": "old",
      "messages[2].content[1].citations.enabled": true,
    });
  });

  test("is refused by its path for each field of the wrong form", () => {
    const source = (source: object): object[] => [{ type: "image", source }];
    refuses([{ type: "text" }], "text");
    refuses([{ ...text("a"), cache_control: { type: "ephemeral", ttl: "2h" } }], "cache_control.ttl");
    refuses([{ ...text("a"), cache_control: { type: "eternal" } }], "cache_control.type");
    refuses([{ type: "image" }], "source");
    refuses(source({ type: "base64", data: "A" }), "source.media_type");
    refuses(source({ type: "base64", media_type: "text/html", data: "A" }), "source.media_type");
    refuses(source({ type: "base64", media_type: "image/png" }), "source.data");
    refuses(source({ type: "url", url: "file:///etc/passwd" }), "source.url");
    refuses(source({ type: "file" }), "source.file_id");
    refuses(
      [{ type: "document", source: { type: "base64", media_type: "image/png", data: "A" } }],
      "source.media_type",
    );
    refuses([{ type: "document", source: { type: "text", media_type: "text/html", data: "A" } }], "source.media_type");
    refuses([{ type: "document", source: { type: "url", url: "https://x" }, title: 5 }], "title");
    refuses([{ type: "thinking", thinking: "a" }], "signature", "assistant");
    refuses([{ type: "redacted_thinking" }], "data", "assistant");
    refuses([{ type: "tool_use", name: "f", input: {} }], "id", "assistant");
    refuses([{ type: "tool_use", id: "t", name: "", input: {} }], "name", "assistant");
    refuses([{ type: "tool_use", id: "t", name: "f" }], "input", "assistant");
    refuses([{ type: "tool_use", id: "t", name: "f", input: "{}" }], "input", "assistant");
    refuses([{ type: "tool_result" }], "tool_use_id");
    refuses([{ type: "tool_result", tool_use_id: "t", is_error: "no" }], "is_error");
  });

  test("is refused where a block has no counterpart, or stands where it has none", () => {
    const refused = (block: object, path: string, role = "user"): void =>
      refuses([block], path, role, "unsupported_parameter");
    const image = { type: "image", source: { type: "url", url: "https://x" } };
    refused({ type: "search_result", source: "s", title: "t", content: [] }, "type");
    refused({ type: "server_tool_use", id: "t", name: "web_search", input: {} }, "type", "assistant");
    refused({ type: "web_search_tool_result", tool_use_id: "t", content: [] }, "type", "assistant");
    refused({ type: "container_upload", file_id: "f" }, "type");
    refused(image, "type", "assistant");
    refused({ type: "tool_use", id: "t", name: "f", input: {} }, "type");
    refused({ type: "tool_result", tool_use_id: "t" }, "type", "assistant");
    refused(
      { type: "tool_result", tool_use_id: "t", content: [{ type: "tool_reference", tool_name: "f" }] },
      "content[0].type",
    );
    refused({ type: "image", source: { type: "hologram" } }, "source.type");
    refused({ type: "document", source: { type: "content", content: [image] } }, "source.content[0].type");
    assert.throws(() => said({ role: "critic", content: "no" }), /messages\[0\]\.role/);
    assert.throws(() => decode({ system: [image], messages: [user(text("a"))] }), /system\[0\]\.type/);
  });
});
