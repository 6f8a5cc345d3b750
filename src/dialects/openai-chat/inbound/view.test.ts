import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { RequestView } from "../../dialect.ts";
import { viewRequest } from "./view.ts";

const minimal = { model: "m", messages: [{ role: "user", content: "hi" }] };

function view(body: object): RequestView {
  return viewRequest(parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 32 }));
}

function needs(body: object): string[] {
  return Object.entries(view({ ...minimal, ...body }).needs).flatMap(([name, needed]) => (needed ? [name] : []));
}

describe("viewRequest", () => {
  test("reads what admission and planning need", () => {
    const { document: _document, ...read } = view({
      ...minimal,
      stream: true,
      stream_options: { include_usage: true },
      n: 3,
      max_tokens: 50,
      max_completion_tokens: 40,
      user: "u",
      safety_identifier: "s",
    });
    assert.deepEqual(read, {
      model: "m",
      stream: true,
      endUser: "s",
      maxOutputTokens: 50,
      choices: 3,
      wantsStreamUsage: true,
      serviceTier: null,
      needs: {
        tools: false,
        parallelTools: false,
        images: false,
        audio: false,
        documents: false,
        jsonSchema: false,
        reasoning: false,
        logprobs: false,
        choices: true,
      },
    });
  });

  test("takes null for absent", () => {
    const read = view({
      ...minimal,
      stream: null,
      n: null,
      max_tokens: null,
      temperature: null,
      tools: null,
      stop: null,
    });
    assert.deepEqual([read.stream, read.choices, read.maxOutputTokens], [false, 1, null]);
  });

  test("derives the needs from the request", () => {
    const user = (...content: object[]): object => ({ messages: [{ role: "user", content }] });
    assert.deepEqual(needs({}), []);
    assert.deepEqual(needs({ tools: [{ type: "function", function: { name: "f" } }] }), ["tools"]);
    assert.deepEqual(needs({ messages: [{ role: "tool", tool_call_id: "1", content: "x" }] }), ["tools"]);
    assert.deepEqual(needs({ messages: [{ role: "assistant", tool_calls: [{ id: "1" }] }] }), ["tools"]);
    assert.deepEqual(needs(user({ type: "image_url", image_url: { url: "https://x" } })), ["images"]);
    assert.deepEqual(needs(user({ type: "input_audio", input_audio: {} })), ["audio"]);
    assert.deepEqual(needs({ modalities: ["text", "audio"] }), ["audio"]);
    assert.deepEqual(needs(user({ type: "file", file: {} })), ["documents"]);
    assert.deepEqual(needs({ response_format: { type: "json_schema" } }), ["jsonSchema"]);
    assert.deepEqual(needs({ logprobs: true }), ["logprobs"]);
    assert.deepEqual(needs({ n: 2 }), ["choices"]);
    assert.deepEqual(needs({ n: 1 }), []);
    assert.deepEqual(needs({ parallel_tool_calls: false }), ["parallelTools"]);
  });

  test("reasoning is needed where it is asked for in one of the ways that vendors have", () => {
    for (const asking of [
      { reasoning_effort: "low" },
      { reasoning: { effort: "high" } },
      { reasoning: { max_tokens: 1000 } },
      { reasoning: { enabled: true } },
      { thinking: { type: "enabled", budget_tokens: 1024 } },
    ]) {
      assert.deepEqual(needs(asking), ["reasoning"], JSON.stringify(asking));
    }
    for (const declining of [
      { reasoning_effort: "none" },
      { reasoning_effort: null },
      { reasoning: { effort: "none" } },
      { reasoning: { enabled: false } },
      { thinking: { type: "disabled" } },
    ]) {
      assert.deepEqual(needs(declining), [], JSON.stringify(declining));
    }
  });

  test("takes an output bound of -1 for none, as local servers do", () => {
    assert.equal(view({ ...minimal, max_tokens: -1 }).maxOutputTokens, null);
    assert.equal(view({ ...minimal, max_tokens: -1, max_completion_tokens: 10 }).maxOutputTokens, null);
    assert.equal(view({ ...minimal, max_tokens: 10_000_000 }).maxOutputTokens, 10_000_000);
  });

  test("leaves roles and ranges that are new to us to the provider", () => {
    assert.doesNotThrow(() => view({ ...minimal, messages: [{ role: "ipython", content: "x" }], temperature: 5 }));
    assert.doesNotThrow(() => view({ ...minimal, messages: [{ role: "boss" }], user: "u".repeat(512) }));
  });

  test("lets pass what is new to us", () => {
    const part = { type: "hologram", hologram: {} };
    assert.doesNotThrow(() => view({ ...minimal, messages: [{ role: "user", content: [part] }], tomorrow: { a: 1 } }));
  });

  const wrong: readonly (readonly [object, string])[] = [
    [{ model: 5 }, "model"],
    [{ model: "" }, "model"],
    [{ messages: {} }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: ["hi"] }, "messages[0]"],
    [{ messages: [{ role: 5, content: "x" }] }, "messages[0].role"],
    [{ messages: [minimal.messages[0], { role: "user", content: 5 }] }, "messages[1].content"],
    [{ messages: [{ role: "user", content: null }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: ["x"] }] }, "messages[0].content[0]"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
    [{ messages: [{ role: "assistant", tool_calls: {} }] }, "messages[0].tool_calls"],
    [{ stream: "true" }, "stream"],
    [{ stream_options: true }, "stream_options"],
    [{ stream_options: { include_usage: 1 } }, "stream_options.include_usage"],
    [{ n: 0 }, "n"],
    [{ n: 129 }, "n"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ max_completion_tokens: -2 }, "max_completion_tokens"],
    [{ max_tokens: 10_000_001 }, "max_tokens"],
    [{ max_completion_tokens: 9007199254740991 }, "max_completion_tokens"],
    [{ temperature: "hot" }, "temperature"],
    [{ top_p: "most" }, "top_p"],
    [{ stop: [1] }, "stop"],
    [{ tools: {} }, "tools"],
    [{ tools: ["f"] }, "tools[0]"],
    [{ tools: [{}] }, "tools[0].type"],
    [{ tool_choice: 1 }, "tool_choice"],
    [{ parallel_tool_calls: "no" }, "parallel_tool_calls"],
    [{ response_format: "json" }, "response_format"],
    [{ logprobs: 1 }, "logprobs"],
    [{ user: 1 }, "user"],
    [{ user: "u".repeat(513) }, "user"],
    [{ user: "u", safety_identifier: "s".repeat(513) }, "safety_identifier"],
  ];
  for (const [fields, param] of wrong) {
    test(`refuses ${JSON.stringify(fields)} naming ${param}`, () => {
      assert.throws(
        () => view({ ...minimal, ...fields }),
        (thrown) =>
          thrown instanceof HeadgateError &&
          thrown.code === "invalid_value" &&
          thrown.param === param &&
          thrown.message.startsWith(`${param} must be `),
      );
    });
  }

  test("names a required field that is absent", () => {
    const absent: readonly (readonly [object, string])[] = [
      [{ messages: minimal.messages }, "model"],
      [{ model: "m" }, "messages"],
      [{ model: "m", messages: [{ content: "x" }] }, "messages[0].role"],
      [{ model: "m", messages: [{ role: "user" }] }, "messages[0].content"],
    ];
    for (const [body, param] of absent) {
      assert.throws(
        () => view(body),
        (thrown) => thrown instanceof HeadgateError && thrown.code === "missing_field" && thrown.param === param,
        param,
      );
    }
  });
});
