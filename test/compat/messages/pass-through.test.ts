/** What goes over the wire to a provider of the same dialect and back, and what a provider of the other one gets. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { openRecordedSuite, RECORDER_KEY } from "../recorded-suite.ts";
import { send, type Reply } from "../../support/simulator-client.ts";

const usage = { input_tokens: 3, output_tokens: 2 };
const message = {
  id: "msg_01",
  type: "message",
  role: "assistant",
  model: "claude-x",
  content: [{ type: "text", text: "Hi", new_next_year: [1] }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { ...usage, new_next_year: 1 },
};
const completion = {
  id: "x",
  object: "chat.completion",
  created: 1,
  model: "gpt-x",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

describe("messages on the wire", () => {
  const suite = openRecordedSuite();

  function post(body: string): Promise<Reply> {
    const { url, key } = suite.gateway;
    return send(`${url}/v1/messages`, {
      headers: {
        "x-api-key": key,
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "one-2026-01-01,two-2026-01-01",
        "content-type": "application/json",
      },
      body,
    });
  }

  test("a request reaches a provider of the dialect byte for byte, but for the model's name", async () => {
    suite.upstream.answerWith({ contentType: "application/json", pieces: [JSON.stringify(message)] });
    const body =
      '{ "model" : "recorder-anthropic/claude-x", "max_tokens":9 , "future":{"a":[1e2,"\\u00fc"]},' +
      '"messages":[{"role":"user","content":[{"type":"text","text":"h\\u00ef","cache_control":{"type":"ephemeral"}}]}]}';
    const reply = await post(body);
    assert.equal(reply.text, JSON.stringify(message), "the answer is the provider's");
    const seen = suite.upstream.only();
    assert.equal(seen.path, "/v1/messages");
    assert.equal(seen.body.toString("utf8"), body.replace("recorder-anthropic/claude-x", "claude-x"));
    const { "x-api-key": key, "anthropic-version": version, "anthropic-beta": beta } = seen.headers;
    assert.deepEqual([key, version, beta], [RECORDER_KEY, "2023-06-01", "one-2026-01-01,two-2026-01-01"]);
    assert.ok(!JSON.stringify(seen.headers).includes(suite.gateway.key));
  });

  test("a stream comes back byte for byte, with pings and what is new", async () => {
    const stream = [
      `event: message_start\ndata: ${JSON.stringify({ type: "message_start", message: { ...message, content: [] } })}\n\n`,
      'event: ping\ndata: {"type": "ping"}\n\n',
      'event: new_next_year\ndata: {"type":"new_next_year"}\n\n',
      'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
      'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
      `event: message_delta\ndata: ${JSON.stringify({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage })}\n\n`,
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ];
    suite.upstream.answerWith({ contentType: "text/event-stream", pieces: stream });
    const messages = [{ role: "user", content: "hi" }];
    const request = { model: "recorder-anthropic/claude-x", max_tokens: 9, stream: true, messages };
    const reply = await post(JSON.stringify(request));
    assert.equal(reply.text, stream.join(""));
    assert.equal(reply.headers["request-id"], reply.headers["x-request-id"]);
  });

  test("features in beta are no part of what a provider of the other dialect is asked, and the caller is told", async () => {
    suite.upstream.answerWith({ contentType: "application/json", pieces: [JSON.stringify(completion)] });
    const messages = [{ role: "user", content: "hi" }];
    const reply = await post(JSON.stringify({ model: "recorder/gpt-x", max_tokens: 9, messages }));
    assert.equal(JSON.parse(reply.text).content[0].text, "Hi");
    assert.equal(reply.headers["x-headgate-dropped"], "anthropic-beta");
    const seen = suite.upstream.only();
    assert.equal(seen.path, "/v1/chat/completions");
    assert.equal(seen.headers["anthropic-beta"], undefined);
  });

  test("the SDK's key may be a bearer token", async () => {
    suite.upstream.answerWith({ contentType: "application/json", pieces: [JSON.stringify(message)] });
    const { url, key } = suite.gateway;
    const client = new Anthropic({ baseURL: url, authToken: key, apiKey: null, maxRetries: 0 });
    const answer = await client.messages.create({
      model: "recorder-anthropic/claude-x",
      max_tokens: 9,
      messages: [{ role: "user", content: "hi" }],
    });
    assert.equal(answer.id, "msg_01");
    assert.equal(suite.upstream.only().headers["authorization"], undefined);
  });
});
