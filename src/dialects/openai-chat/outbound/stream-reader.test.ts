import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import type { Quirks, StreamSignal } from "../../dialect.ts";
import type { SseEvent } from "../../sse.ts";
import { ChatStreamReader } from "./stream-reader.ts";

function event(data: string, name = ""): SseEvent {
  return { event: name, data, comment: false, raw: Buffer.from(`data: ${data}\n\n`) };
}

function read(reader: ChatStreamReader, ...chunks: readonly unknown[]): StreamSignal[] {
  return chunks.map((chunk) => reader.read(event(typeof chunk === "string" ? chunk : JSON.stringify(chunk))));
}

function delta(fields: object, index = 0): object {
  return { id: "c", model: "m", choices: [{ index, delta: fields, finish_reason: null }] };
}

function finish(reason: string, index = 0, fields: object = {}): object {
  return { choices: [{ index, delta: fields, finish_reason: reason }] };
}

describe("ChatStreamReader", () => {
  test("takes every kind of output for output, and counts its bytes", () => {
    const outputs: readonly (readonly [object, number])[] = [
      [{ content: "é" }, 2],
      [{ refusal: "No." }, 3],
      [{ reasoning_content: "Hm" }, 2],
      [{ reasoning: "Hm" }, 2],
      [{ reasoning: "Hm", reasoning_content: "Hm" }, 2],
      [{ reasoning: "Hm", reasoning_details: [{ type: "reasoning.text", text: "Hm" }] }, 2],
      [{ reasoning_details: [{ type: "reasoning.text", text: "Hm" }] }, 2],
      [{ reasoning_details: [{ type: "reasoning.encrypted", data: "abc" }] }, 3],
      [{ tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: "" } }] }, 1],
      [{ tool_calls: [{ index: 0, function: { arguments: { a: 1 } } }] }, 7],
      [{ tool_calls: [{ index: 0, type: "custom", custom: { name: "f", input: "ab" } }] }, 3],
      [{ function_call: { name: "f", arguments: "{}" } }, 3],
      [{ content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm" }] }] }, 2],
      [{ content: [{ type: "text", text: "Hm" }] }, 2],
      [{ audio: { id: "a", data: "AAAA", transcript: "Hm" } }, 2],
      [{ images: [{ type: "image_url" }] }, 0],
    ];
    for (const [fields, bytes] of outputs) {
      const reader = new ChatStreamReader({}, 1);
      assert.deepEqual(read(reader, delta(fields)), ["output"], JSON.stringify(fields));
      assert.equal(reader.reading.outputBytes, bytes, JSON.stringify(fields));
    }
  });

  test("takes what carries no output for progress", () => {
    const idle = [
      delta({ role: "assistant", content: "", refusal: null }),
      delta({ content: null, reasoning_content: "" }),
      delta({ tool_calls: [] }),
      { choices: [], prompt_filter_results: [] },
      { id: "c", object: "chat.completion.chunk" },
      { choices: [{ index: 0 }] },
    ];
    for (const chunk of idle) assert.deepEqual(read(new ChatStreamReader({}, 1), chunk), ["progress"]);
  });

  test("keeps id and model of the first chunk that has them", () => {
    const reader = new ChatStreamReader({}, 1);
    read(reader, { id: "", model: "", choices: [] }, delta({ content: "x" }), { id: "other", choices: [] });
    assert.deepEqual([reader.reading.id, reader.reading.model], ["c", "m"]);
  });

  test("is finished when every choice that was asked for has a reason", () => {
    const reader = new ChatStreamReader({}, 2);
    const begin = [delta({ content: "a" }), delta({ content: "b" }, 1)];
    assert.deepEqual(read(reader, ...begin, finish("stop", 0)), ["output", "output", "progress"]);
    assert.equal(reader.reading.finish, null);
    assert.deepEqual(read(reader, finish("length", 1, { content: "c" })), ["finish"]);
    assert.equal(reader.reading.finish, "length");
    assert.deepEqual(read(reader, delta({ content: "" }, 0), "[DONE]"), ["progress", "end"]);
    assert.equal(reader.reading.finish, "length");
  });

  test("is not finished while a choice that was asked for has not begun", () => {
    const reader = new ChatStreamReader({}, 2);
    assert.deepEqual(read(reader, delta({ content: "a" }), finish("stop", 0)), ["output", "progress"]);
    assert.deepEqual(read(reader, delta({ content: "b" }, 1)), ["output"]);
    assert.equal(reader.reading.finish, null);
    assert.deepEqual(read(reader, finish("length", 1)), ["finish"]);
  });

  test("maps every finish reason it knows and takes the rest for other", () => {
    const expected = {
      stop: "stop",
      eos: "stop",
      length: "length",
      model_length: "context-length",
      tool_calls: "tool-calls",
      function_call: "tool-calls",
      content_filter: "content-filter",
      insufficient_system_resource: "other",
      constructor: "other",
    };
    for (const [native, reason] of Object.entries(expected)) {
      const reader = new ChatStreamReader({}, 1);
      assert.deepEqual(read(reader, finish(native)), ["finish"]);
      assert.equal(reader.reading.finish, reason);
    }
  });

  test("takes usage wherever it stands, and the last one rules", () => {
    const reader = new ChatStreamReader({}, 1);
    const usage = (output: number): object => ({ usage: { prompt_tokens: 7, completion_tokens: output } });
    assert.deepEqual(read(reader, { ...delta({ content: "a" }), ...usage(1) }), ["output"]);
    assert.deepEqual(read(reader, { ...finish("stop"), ...usage(2) }), ["finish"]);
    assert.equal(reader.reading.usage?.outputTokens, 2);
    assert.deepEqual(read(reader, { choices: [], ...usage(3) }, usage(4)), ["usage", "usage"]);
    assert.equal(reader.reading.usage?.outputTokens, 4);
    assert.deepEqual(read(reader, { choices: [], usage: null }), ["progress"]);
    assert.equal(reader.reading.usage?.outputTokens, 4);
  });

  test("knows that nothing but the marker follows the chunk of usage, if every choice has its reason", () => {
    const usage = { usage: { prompt_tokens: 7, completion_tokens: 1 } };
    const reader = new ChatStreamReader({}, 2);
    const rests = [delta({ content: "a" }), finish("stop"), { choices: [], ...usage }, finish("stop", 1)].map(
      (chunk) => {
        read(reader, chunk);
        return reader.rest;
      },
    );
    assert.deepEqual(rests, ["open", "open", "open", "open"]);
    read(reader, { choices: [], ...usage });
    assert.equal(reader.rest, "marker");
    read(reader, delta({ content: "b" }, 2));
    assert.equal(reader.rest, "open");
  });

  test("takes usage beside the reason for all of it only from a provider that is not asked for it", () => {
    const usage = { usage: { prompt_tokens: 7, completion_tokens: 1 } };
    const rest = (quirks: Quirks, ...chunks: readonly object[]): string => {
      const reader = new ChatStreamReader(quirks, 1);
      read(reader, ...chunks);
      return reader.rest;
    };
    const last = { ...finish("stop"), ...usage };
    assert.equal(rest({}, last), "usage");
    assert.equal(rest({ streamUsage: "always" }, last), "marker");
    assert.equal(rest({ streamUsage: "always" }, { ...delta({ content: "a" }), ...usage }, finish("stop")), "open");
    assert.equal(rest({ streamUsage: "never" }, finish("stop")), "marker");
    assert.equal(rest({ streamUsage: "never" }, delta({ content: "a" })), "open");
  });

  test("takes errors for errors, whatever their shape", () => {
    const errors: readonly (readonly [unknown, string])[] = [
      [{ error: { message: "boom", type: "server_error" } }, "upstream_failed"],
      [{ error: "boom" }, "upstream_failed"],
      [{ object: "error", message: "boom", code: 400, type: "BadRequestError" }, "upstream_rejected"],
      [{ error: { message: "boom", code: 429 } }, "upstream_rate_limited"],
      [{ error: { message: "boom", type: "overloaded_error" } }, "upstream_overloaded"],
      [finish("error"), "upstream_failed"],
    ];
    for (const [chunk, code] of errors) {
      const reader = new ChatStreamReader({}, 1);
      assert.deepEqual(read(reader, chunk), ["error"], JSON.stringify(chunk));
      assert.equal(reader.failure?.code, code);
      assert.equal(reader.reading.finish, null);
    }
    const named = new ChatStreamReader({}, 1);
    assert.equal(named.read(event('{"message":"boom"}', "error")), "error");
    assert.equal(named.failure?.message, "boom");
  });

  test("takes what is not an event of this dialect for invalid", () => {
    for (const data of ["", "not json", "[1]", '"x"', "null", '{"choices":5}', '{"choices":[5]}', '{"choices":[{']) {
      assert.deepEqual(read(new ChatStreamReader({}, 1), data), ["invalid"], data);
    }
    const raw = Buffer.concat([Buffer.from('data: {"choices":[]}'), Buffer.of(0xff), Buffer.from("\n\n")]);
    const broken = { event: "", data: '{"choices":[],"x":"\ufffd"}', comment: false, raw };
    assert.equal(new ChatStreamReader({}, 1).read(broken), "invalid");
  });

  test("does not take a replacement character that the provider sent itself for broken text", () => {
    assert.deepEqual(read(new ChatStreamReader({}, 1), delta({ content: "\ufffd" })), ["output"]);
  });

  test("never throws, whatever JSON the provider sends", () => {
    const named = fc.constantFrom("choices", "delta", "content", "tool_calls", "function", "usage", "error", "index");
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: "small" }, fc.string(), fc.integer(), fc.constant(null), tie("list"), tie("object")),
      list: fc.array(tie("any"), { maxLength: 3 }),
      object: fc.dictionary(named, tie("any"), { maxKeys: 4 }),
    })).object;
    fc.assert(
      fc.property(value, (chunk) => {
        const reader = new ChatStreamReader({}, 1);
        const [signal] = read(reader, chunk);
        assert.equal(signal === "error", reader.failure !== null);
        assert.equal(signal === "finish", reader.reading.finish !== null);
      }),
    );
  });
});
