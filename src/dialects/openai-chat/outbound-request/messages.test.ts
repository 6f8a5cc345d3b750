import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Item, Part } from "../../canonical.ts";
import type { Quirks } from "../../dialect.ts";
import { encodeMessages } from "./messages.ts";

interface Message {
  readonly role: string;
  readonly content: unknown;
}

function encode(
  items: readonly Item[],
  history: NonNullable<Quirks["reasoningHistory"]> = "none",
): { messages: Message[]; losses: string[] } {
  const losses = new Set<string>();
  const messages = encodeMessages(items, history, losses) as Message[];
  return { messages, losses: [...losses] };
}

function refuses(...items: Item[]): void {
  assert.throws(
    () => encode(items),
    (thrown) =>
      thrown instanceof HeadgateError && thrown.code === "unsupported_parameter" && thrown.param === "messages",
  );
}

function said(role: "user" | "assistant", ...parts: Part[]): Item {
  return { type: "message", role, name: null, parts };
}

function result(callId: string, ...parts: Part[]): Item {
  return { type: "tool-result", callId, parts, isError: false };
}

function text(words: string): Part {
  return { type: "text", text: words };
}

function call(callId: string): Item {
  return { type: "tool-call", callId, name: "f", arguments: "" };
}

describe("encodeMessages", () => {
  test("makes one message of reasoning, text and calls, and keeps separate turns separate", () => {
    const { messages } = encode([
      said("assistant", text("a")),
      said("assistant", text("b")),
      call("1"),
      call("2"),
      said("assistant", text("c")),
      result("1", text("r")),
      result("2", text("r")),
      said("assistant", text("d")),
      said("user", text("e")),
    ]);
    const wire = (id: string): object => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
    assert.deepEqual(messages, [
      { role: "assistant", content: "a" },
      { role: "assistant", content: [text("b"), text("c")], tool_calls: [wire("1"), wire("2")] },
      { role: "tool", tool_call_id: "1", content: "r" },
      { role: "tool", tool_call_id: "2", content: "r" },
      { role: "assistant", content: "d" },
      { role: "user", content: "e" },
    ]);
  });

  test("gives reasoning back only as the provider takes it, and reports what stays behind", () => {
    const state = { type: "reasoning.text", signature: "s", format: "x", index: 0 };
    const own = { origin: "openai-chat", kind: "reasoning_details", value: JSON.stringify(state) };
    const foreign = { origin: "anthropic-messages", kind: "signature", value: "secret" };
    const back = (history: NonNullable<Quirks["reasoningHistory"]>, opaque: typeof own): unknown[] => {
      const { messages, losses } = encode([{ type: "reasoning", text: "Hm.", opaque: [opaque] }], history);
      assert.doesNotMatch(JSON.stringify(messages), /secret/);
      const { role: _role, content: _content, ...reasoning } = messages[0]!;
      return [reasoning, losses];
    };
    assert.deepEqual(back("none", own), [{}, ["reasoning"]]);
    assert.deepEqual(back("reasoning_content", own), [{ reasoning_content: "Hm." }, []]);
    assert.deepEqual(back("reasoning_details", own), [{ reasoning_details: [{ ...state, text: "Hm." }] }, []]);
    assert.deepEqual(back("reasoning_details", foreign), [{ reasoning_content: "Hm." }, ["reasoning"]]);
  });

  test("refuses a beginning of the answer, because the model would answer anew", () => {
    refuses(said("user", text("a")), said("assistant", text("The answer is (")));
  });

  test("lets the user show what a tool returned besides text, after all results and before what else is said", () => {
    const image: Part = { type: "image", source: { from: "url", url: "https://example.com/a.png" }, detail: null };
    const items = [result("1", text("a"), image), result("2")];
    const shown = [
      text("Of the result of the tool call 1:"),
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    ];
    const rest = text("(The user shows the rest of the result in the next message.)");
    const results = [
      { role: "tool", tool_call_id: "1", content: [text("a"), rest] },
      { role: "tool", tool_call_id: "2", content: "" },
    ];
    const alone = encode(items);
    assert.deepEqual(alone.messages, [...results, { role: "user", content: shown }]);
    assert.deepEqual(alone.losses, ["tool_result.content"]);
    assert.deepEqual(encode([...items, said("user", text("b")), said("user", text("c"))]).messages, [
      ...results,
      { role: "user", content: [...shown, text("b")] },
      { role: "user", content: "c" },
    ]);
    assert.deepEqual(
      encode([...items, call("3"), result("3", image)]).messages.map(({ role }) => role),
      ["tool", "tool", "user", "assistant", "tool", "user"],
    );
  });

  test("spells out documents of plain text, and gives every other content a name", () => {
    const document = (mediaType: string, name: string | null): Part => ({
      type: "document",
      source: { from: "base64", mediaType, data: Buffer.from("Grüße").toString("base64") },
      name,
    });
    const { messages, losses } = encode([
      said("user", document("text/plain", 'a "b"'), document("text/plain", null), document("application/pdf", null)),
      result("1", document("text/plain", null)),
    ]);
    assert.deepEqual(messages, [
      {
        role: "user",
        content: [
          text('<document title="a \\"b\\"">\nGrüße\n</document>'),
          text("<document>\nGrüße\n</document>"),
          { type: "file", file: { file_data: "data:application/pdf;base64,R3LDvMOfZQ==", filename: "document.pdf" } },
        ],
      },
      { role: "tool", tool_call_id: "1", content: "<document>\nGrüße\n</document>" },
    ]);
    assert.deepEqual(losses, ["messages.content.type=document"]);
  });

  test("sends a file's id only to those who know it", () => {
    const file = (type: "image" | "document", origin: string): Item => {
      const source = { from: "file", fileId: "file-1", origin } as const;
      return said("user", type === "image" ? { type, source, detail: null } : { type, source, name: null });
    };
    assert.deepEqual(encode([file("document", "openai-chat")]).messages[0]?.content, [
      { type: "file", file: { file_id: "file-1" } },
    ]);
    refuses(file("document", "anthropic-messages"));
    refuses(file("image", "anthropic-messages"));
    refuses(file("image", "openai-chat"));
  });
});
