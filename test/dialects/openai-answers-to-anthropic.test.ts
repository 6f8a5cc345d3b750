/** What a caller of the Messages API gets of an OpenAI provider's answers, byte by byte, and what it gives back. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { anthropicMessages } from "../../src/dialects/anthropic-messages/anthropic-messages.ts";
import type { Quirks, RequestView } from "../../src/dialects/dialect.ts";
import { openaiChat } from "../../src/dialects/openai-chat/openai-chat.ts";
import { SseParser, type SseEvent } from "../../src/dialects/sse.ts";
import { parseJsonDocument } from "../../src/kernel/json-document.ts";

const inbound = anthropicMessages.inbound!;
const outbound = openaiChat.outbound!;

function viewOf(fields: object = {}): RequestView {
  const body = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "?" }], ...fields };
  return inbound.view(parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 64 }));
}

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../src/dialects/openai-chat/fixtures/${name}.sse`, import.meta.url));
}

/** `chunkBytes`: how the provider's bytes are cut on the way. */
function translateStream(wire: Uint8Array, chunkBytes: number = wire.length): string {
  const view = viewOf({ stream: true });
  const reader = outbound.createStreamReader({}, 1);
  const decoder = outbound.translation!.createStreamDecoder({});
  const encoder = inbound.translation!.createStreamEncoder(view, 0);
  const parser = new SseParser({ eventBytes: 1 << 20 });
  let bytes = "";
  const sink = (event: SseEvent): void => {
    if (event.comment) return;
    const signal = reader.read(event);
    if (signal === "end") bytes += encoder.end();
    else if (signal === "error")
      bytes += Buffer.from(inbound.encodeStreamError(reader.failure!, "req_1")).toString("utf8");
    else for (const said of decoder.decode(reader.json)) bytes += encoder.encode(said);
  };
  for (let start = 0; start < wire.length; start += chunkBytes)
    parser.push(wire.subarray(start, start + chunkBytes), sink);
  parser.end(sink);
  return bytes;
}

function events(...data: readonly string[]): string {
  return data.map((each) => `event: ${JSON.parse(each).type}\ndata: ${each}\n\n`).join("");
}

function messageStart(id: string, model: string): string {
  return (
    `{"type":"message_start","message":{"id":"${id}","type":"message","role":"assistant","model":"${model}","content":[],` +
    `"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":0,"output_tokens":0}}}`
  );
}

const stop = '{"type":"message_stop"}';

describe("an OpenAI answer to an Anthropic caller", () => {
  test("streams parallel calls one after the other though the provider interleaves them", () => {
    assert.equal(
      translateStream(fixture("openai-parallel-tools")),
      events(
        messageStart("msg_chatcmpl-B", "gpt-4.1"),
        '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"call_a","name":"weather","input":{}}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\":"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\\"Bern\\"}"}}',
        '{"type":"content_block_stop","index":0}',
        '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_b","name":"time","input":{}}}',
        '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}',
        '{"type":"content_block_stop","index":1}',
        '{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":0,"output_tokens":0}}',
        stop,
      ),
    );
  });

  test("streams reasoning as thinking with a signature that is nobody's, and its usage with the end", () => {
    const signature = `~headgate:${Buffer.from("[]").toString("base64url")}`;
    assert.equal(
      translateStream(fixture("deepseek-reasoning")),
      events(
        messageStart("msg_d1", "deepseek-reasoner"),
        '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Two and two"}}',
        `{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"${signature}"}}`,
        '{"type":"content_block_stop","index":0}',
        '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}',
        '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"4"}}',
        '{"type":"content_block_stop","index":1}',
        '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":6,' +
          '"cache_creation_input_tokens":0,"cache_read_input_tokens":8,"cache_creation":{"ephemeral_5m_input_tokens":0,' +
          '"ephemeral_1h_input_tokens":0},"output_tokens":9,"output_tokens_details":{"thinking_tokens":6}}}',
        stop,
      ),
    );
  });

  test("is the same however the provider's bytes are cut", () => {
    for (const name of ["openai-text", "openai-parallel-tools", "deepseek-reasoning"]) {
      const whole = translateStream(fixture(name));
      for (const chunkBytes of [1, 7, 100]) assert.equal(translateStream(fixture(name), chunkBytes), whole);
    }
  });

  test("ends a broken stream with an error of the API and without the marker of a complete one", () => {
    const told = translateStream(fixture("openrouter-error-after-output"));
    assert.match(told, /event: error\ndata: \{"type":"error","error":\{"type":"api_error"[^\n]+\n\n$/);
    assert.doesNotMatch(told, /message_stop|message_delta/);
    assert.doesNotMatch(translateStream(fixture("truncated")), /message_stop|message_delta/);
  });

  test("gives back to the provider the very reasoning state that it gave", () => {
    const details = [
      { type: "reasoning.encrypted", data: "gAAAA+/=", id: "rs_1", format: "openai-responses-v1", index: 0 },
      { type: "reasoning.summary", summary: "Thinking of tides.", format: "openai-responses-v1", index: 0 },
    ];
    const call = { id: "functions.look:0", type: "function", function: { name: "look", arguments: '{"at":1}' } };
    const message = { role: "assistant", content: null, reasoning: "Thinking of tides.", reasoning_details: details };
    const answer = {
      id: "gen-1",
      object: "chat.completion",
      model: "gpt",
      choices: [{ index: 0, message: { ...message, tool_calls: [call] }, finish_reason: "tool_calls" }],
    };
    const canonical = outbound.translation!.decodeResponse(answer, {});
    const told = JSON.parse(Buffer.from(inbound.translation!.encodeResponse(canonical, viewOf(), 0)).toString("utf8"));
    assert.deepEqual(
      told.content.map(({ type }: { type: string }) => type),
      ["thinking", "tool_use"],
    );
    const [thinking, use] = told.content;
    assert.equal(thinking.thinking, "Thinking of tides.");
    assert.match(use.id, /^[\w-]+$/);
    const view = viewOf({
      tools: [{ name: "look", input_schema: { type: "object" } }],
      messages: [
        { role: "user", content: "?" },
        { role: "assistant", content: told.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "high" }] },
      ],
    });
    const quirks: Quirks = { reasoningHistory: "reasoning_details" };
    const target = { model: "gpt", maxOutputTokens: null, quirks };
    const encoded = outbound.translation!.encodeRequest(inbound.translation!.decodeRequest(view), target);
    const [, assistant, result] = JSON.parse(Buffer.from(encoded.body).toString("utf8")).messages;
    assert.deepEqual(encoded.losses, []);
    assert.deepEqual(assistant.tool_calls, [call]);
    assert.equal(result.tool_call_id, call.id);
    const encrypted = assistant.reasoning_details.filter(
      ({ type }: { type: string }) => type === "reasoning.encrypted",
    );
    assert.deepEqual(encrypted, [details[0]]);
  });
});
