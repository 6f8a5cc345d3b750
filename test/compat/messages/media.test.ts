import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError, type Anthropic } from "@anthropic-ai/sdk";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, textOf, upstreams } from "./suite.ts";

/** One white pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
const PDF = Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64");
/** What the simulator counts for anything that is not text. */
const MEDIA_TOKENS = 85;
const max_tokens = 200;

const text: Anthropic.TextBlockParam = { type: "text", text: "What is this?" };
const pixel: Anthropic.ImageBlockParam = {
  type: "image",
  source: { type: "base64", media_type: "image/png", data: PNG },
};

describe("media through Anthropic's SDK", () => {
  const suite = openMessagesSuite();

  function ask(model: string, ...content: Anthropic.ContentBlockParam[]): Promise<Anthropic.Message> {
    return suite.anthropic.messages.create({ model, max_tokens, messages: [{ role: "user", content }] });
  }

  for (const upstream of upstreams) {
    describe(`to ${upstream.title}`, () => {
      for (const [what, block] of [
        ["an image", pixel],
        ["an image at an address", { type: "image", source: { type: "url", url: "https://example.com/a.png" } }],
        ["a PDF", { type: "document", source: { type: "base64", media_type: "application/pdf", data: PDF } }],
      ] as const) {
        test(`${what} arrives beside the text`, async () => {
          const plain = await ask(upstream.model, text);
          const seen = await ask(upstream.model, text, block);
          assert.match(textOf(seen), /You said: “What is this\?”/);
          assert.equal(seen.usage.input_tokens - plain.usage.input_tokens, MEDIA_TOKENS);
        });
      }

      test("a block without a type is refused with its path", async () => {
        const broken = { text: "no type" } as unknown as Anthropic.TextBlockParam;
        await assert.rejects(ask(upstream.model, text, broken), refusedAt("messages[0].content[1]"));
      });
    });
  }

  test("what a tool shows is taken by the model of either dialect", async () => {
    const call: Anthropic.ToolUseBlockParam = { type: "tool_use", id: "toolu_1", name: "look", input: {} };
    const conversation = (...content: (Anthropic.TextBlockParam | Anthropic.ImageBlockParam)[]) => ({
      max_tokens,
      tools: [{ name: "look", input_schema: { type: "object" as const } }],
      messages: [
        { role: "user" as const, content: "Look." },
        { role: "assistant" as const, content: [call] },
        { role: "user" as const, content: [{ type: "tool_result" as const, tool_use_id: call.id, content }] },
      ],
    });
    for (const { model } of upstreams) {
      const plain = await suite.anthropic.messages.create({ model, ...conversation(text) });
      const seen = await suite.anthropic.messages.create({ model, ...conversation(text, pixel) });
      assert.equal(seen.stop_reason, "end_turn");
      assert.ok(seen.usage.input_tokens >= plain.usage.input_tokens, model);
    }
  });

  testBooks(suite);
});

function refusedAt(param: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof BadRequestError && (error.error as { error: { param: unknown } }).error.param === param;
}
