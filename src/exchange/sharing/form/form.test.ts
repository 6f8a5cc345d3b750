import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { canonicalAnswers } from "../../../../test/support/canonical-answers.ts";
import { fc } from "../../../../test/support/properties.ts";
import { zeroUsd } from "../../../kernel/money.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { InboundCodec, InboundTranslation, RequestView } from "../../../dialects/dialect.ts";
import { findDialect } from "../../../dialects/registry.ts";
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import { formOf, inFormOf } from "./form.ts";

const chat = findDialect("openai-chat");
const { inbound, translation } = sidesOf(chat.inbound);

function sidesOf(codec: InboundCodec | undefined): { inbound: InboundCodec; translation: InboundTranslation } {
  assert.ok(codec?.translation);
  return { inbound: codec, translation: codec.translation };
}

function viewOf(fields: object = {}): RequestView {
  const body = { model: "m", messages: [{ role: "user", content: "Hi" }], ...fields };
  return inbound.view(parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 20 }));
}

const whole = viewOf();
const stream = viewOf({ stream: true });
const metered = viewOf({ stream: true, stream_options: { include_usage: true } });

function kept(kind: "whole" | "stream", body: string | Uint8Array): KeptAnswer {
  const about = { requestId: "req_1", atMs: 1_790_000_000_000, headers: [], modelServed: "p/m", provider: "p" };
  return { ...about, kind, body: Buffer.from(body), costNanoUsd: zeroUsd };
}

function given(view: RequestView, answer: KeptAnswer | null): string | null {
  assert.ok(answer);
  const found = inFormOf(view, chat, answer);
  if (found !== null) assert.equal(found.kind, view.stream ? "stream" : "whole");
  return found === null ? null : Buffer.from(found.body).toString();
}

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../dialects/openai-chat/fixtures/${name}.sse`, import.meta.url));
}

const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

function wholeAnswer(message: object, more: object = {}, choice: object = {}): string {
  const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...choice }];
  return JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices,
    usage,
    ...more,
  });
}

function chunk(fields: object): string {
  return `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", ...fields })}\n\n`;
}

function delta(fields: object, finish: string | null = null): string {
  return chunk({ choices: [{ index: 0, delta: fields, finish_reason: finish }] });
}

const done = "data: [DONE]\n\n";
const ending = delta({}, "stop") + chunk({ choices: [], usage }) + done;

test("a request asks for one of three forms", () => {
  assert.deepEqual([whole, stream, metered].map(formOf), ["whole", "stream", "stream with usage"]);
});

describe("an answer of chat completions", () => {
  test("is given to the byte in its own form", () => {
    const bytes = wholeAnswer({ content: "Hi" }, { of: "this provider only" });
    assert.equal(given(whole, kept("whole", bytes)), bytes);
    const events = delta({ content: "Hi", of: "this provider only" }) + ending;
    assert.equal(given(metered, kept("stream", events)), events);
  });

  test("says the same in every form, and back again", () => {
    fc.assert(
      fc.property(canonicalAnswers, (answer) => {
        const bytes = Buffer.from(translation.encodeResponse(answer, whole, 0)).toString();
        const asStream = given(metered, kept("whole", bytes));
        assert.ok(asStream);
        assert.ok(asStream.endsWith(done));
        assert.deepEqual(JSON.parse(given(whole, kept("stream", asStream)) ?? ""), JSON.parse(bytes));
      }),
    );
  });

  test("says in a stream what was used only to callers who ask for that", () => {
    const answer = kept("whole", wholeAnswer({ content: "Hi" }));
    assert.match(given(metered, answer) ?? "", /"choices":\[\],"usage":\{"prompt_tokens":5/);
    assert.doesNotMatch(given(stream, answer) ?? "", /usage/);
  });

  test("is put together from a provider's stream", () => {
    const hello = JSON.parse(given(whole, kept("stream", fixture("openai-text"))) ?? "") as {
      choices: { message: { content: string }; finish_reason: string }[];
      usage: { total_tokens: number };
    };
    assert.equal(hello.choices[0]?.message.content, "Grüße ☃");
    assert.deepEqual([hello.choices[0]?.finish_reason, hello.usage.total_tokens], ["stop", 1270]);
    const thought = given(whole, kept("stream", fixture("deepseek-reasoning"))) ?? "";
    assert.match(thought, /"content":"4".*"reasoning_content":"Two and two"/);
  });

  test("is not given in another form that would say less", () => {
    const lossy = [
      { annotations: [{ type: "url_citation", url_citation: { url: "https://example.com/" } }] },
      { reasoning: "said under another name" },
      { audio: { id: "a", data: "AAAA" } },
    ];
    for (const fields of lossy) {
      assert.equal(given(stream, kept("whole", wholeAnswer({ content: "Hi", ...fields }))), null);
      assert.equal(given(whole, kept("stream", delta({ content: "Hi", ...fields }) + ending)), null);
    }
    const odd = wholeAnswer({ content: "Hi" }, { usage: { ...usage, total_tokens: 70 } });
    assert.equal(given(stream, kept("whole", odd)), null, "usage that adds up differently");
    assert.equal(given(stream, kept("whole", wholeAnswer({ content: "Hi" }, {}, { seed: 7 }))), null);
    const silent = delta({ content: "Hi" }) + delta({}, "stop") + done;
    assert.equal(given(whole, kept("stream", silent)), null, "a stream that does not say what was used");
  });

  test("does not lose anything by what is empty, or says only how it was made", () => {
    const fields = { content: "Hi", refusal: null, annotations: [], tool_calls: [] };
    const more = { system_fingerprint: "fp_1", service_tier: "default", x_groq: { id: "req" } };
    assert.ok(given(stream, kept("whole", wholeAnswer(fields, more, { logprobs: null }))));
  });

  test("is not made in another form for a request that says more than every dialect carries", () => {
    const answer = kept("whole", wholeAnswer({ content: "Hi" }));
    assert.equal(given(viewOf({ stream: true, logprobs: true }), answer), null);
    assert.equal(given(viewOf({ stream: true, n: 2 }), answer), null);
  });

  test("is not made of several choices", () => {
    const choices = [0, 1].map((index) => ({ index, message: { content: "Hi" }, finish_reason: "stop" }));
    assert.equal(given(stream, kept("whole", wholeAnswer({}, { choices }))), null);
  });
});

test("a stream that is kept with its usage is given without it to who did not ask for it", () => {
  const beginning = ": comment\n\n" + delta({ content: 'says "usage"' }) + delta({}, "stop");
  assert.equal(given(stream, kept("stream", beginning + chunk({ choices: [], usage }) + done)), beginning + done);
  const crlf = (beginning + chunk({ choices: [], usage: null })).replaceAll("\n", "\r\n");
  const spaced = 'data: {"choices": [], "usage" : {"prompt_tokens": 5}}\r\n\r\n';
  assert.equal(given(stream, kept("stream", crlf + spaced + done)), crlf + done);
  assert.equal(given(stream, kept("stream", spaced + crlf + spaced)), crlf);
  const beside = delta({ content: "Hi" }) + chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage });
  assert.equal(given(stream, kept("stream", beside + done)), beside + done);
});

test("what has no canonical form is given in its own form only", () => {
  const embeddings = findDialect("openai-embeddings");
  const answer = kept("whole", "{}");
  assert.equal(inFormOf(whole, embeddings, answer), answer);
  assert.equal(inFormOf(stream, embeddings, answer), null);
});
