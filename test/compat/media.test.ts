import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import type { ChatCompletionContentPart } from "openai/resources/chat/completions";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

/** One white pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
const PDF = Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64");
/** What the simulator counts for anything that is not text. */
const MEDIA_TOKENS = 85;

const text: ChatCompletionContentPart = { type: "text", text: "What is this?" };
const audio: ChatCompletionContentPart = {
  type: "input_audio",
  input_audio: { data: Buffer.from("RIFF").toString("base64"), format: "wav" },
};

function ask(model: string, ...content: ChatCompletionContentPart[]) {
  return { model, messages: [{ role: "user" as const, content }] };
}

function refusedAt(param: string): (error: unknown) => boolean {
  return (error) => error instanceof BadRequestError && error.param === param;
}

describe("media through the SDK", () => {
  const suite = openSuite();

  for (const upstream of upstreams) {
    describe(`to ${upstream.title}`, () => {
      for (const [what, part] of [
        ["an image as a data URL", { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }],
        [
          "an image at an address",
          { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "auto" } },
        ],
        ["a PDF", { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` } }],
      ] as const) {
        test(`${what} arrives beside the text`, async () => {
          const plain = await suite.client.chat.completions.create(ask(upstream.model, text));
          const seen = await suite.client.chat.completions.create(ask(upstream.model, text, part));
          assert.match(seen.choices[0]?.message.content ?? "", /You said: “What is this\?”/);
          assert.equal((seen.usage?.prompt_tokens ?? 0) - (plain.usage?.prompt_tokens ?? 0), MEDIA_TOKENS);
        });
      }

      test("a part without a type is refused with its path", async () => {
        const broken = { text: "no type" } as unknown as ChatCompletionContentPart;
        await assert.rejects(
          suite.client.chat.completions.create(ask(upstream.model, text, broken)),
          refusedAt("messages[0].content[1]"),
        );
      });
    });
  }

  // What OpenAI's API takes and Anthropic's does not: passed on to the one, refused by name for the other.
  const [native, translated] = upstreams;

  test("audio is passed on to a provider of the same dialect and refused for the other", async () => {
    const heard = await suite.client.chat.completions.create(ask(native!.model, text, audio));
    assert.equal(heard.choices[0]?.finish_reason, "stop");
    await assert.rejects(
      suite.client.chat.completions.create(ask(translated!.model, text, audio)),
      (error) => refusedAt("messages")(error) && /audio/.test(String(error)),
    );
  });

  test("spoken answers are asked of a provider of the same dialect and refused for the other", async () => {
    const spoken = { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } } as const;
    const request = { ...spoken, modalities: [...spoken.modalities] };
    const answer = await suite.client.chat.completions.create({ ...ask(native!.model, text), ...request });
    assert.equal(answer.choices[0]?.finish_reason, "stop");
    await assert.rejects(
      suite.client.chat.completions.create({ ...ask(translated!.model, text), ...request }),
      refusedAt("modalities"),
    );
  });

  test("a file known to another provider is refused, and so is what is no data URL", async () => {
    const uploaded: ChatCompletionContentPart = { type: "file", file: { file_id: "file-abc" } };
    await assert.rejects(
      suite.client.chat.completions.create(ask(translated!.model, text, uploaded)),
      (error) => refusedAt("messages")(error) && /file-abc/.test(String(error)),
    );
    const odd: ChatCompletionContentPart = { type: "image_url", image_url: { url: "ftp://example.com/a.png" } };
    await assert.rejects(
      suite.client.chat.completions.create(ask(translated!.model, text, odd)),
      refusedAt("messages[0].content[1].image_url.url"),
    );
  });

  testBooks(suite);
});
