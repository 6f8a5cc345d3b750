import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { send, type Reply } from "../support/simulator-client.ts";
import { openRecordedSuite, RECORDER_KEY } from "./recorded-suite.ts";

/** Everything that a parser and a writer of JSON would change: order, space, escapes, the spelling of numbers. */
function oddBody(model: string, rest = ""): string {
  return `{ "temperature":1.0 ,"zeta" : [ 1e2,0.10, -0 , 12345678901234567890 ],\r\n\t"model" :\t${model} ,
  "messages":[{"content":"K\\u00f6ln \\ud83c\\udf0d \\/ Köln 🌍","role":"user","x_unknown":{"b":1,"a":[]}}]${rest}   }\n`;
}

const ANSWER =
  '\n{ "usage":{"completion_tokens":2 ,"prompt_tokens":3,"total_tokens":5,"x_watts":1.50},\t"id":"chatcmpl-1",\r\n' +
  '"object":"chat.completion","created":1,"model":"m-1-2026","x_new":[1e2,"\\u00e9"],"choices":[{"index":0,' +
  '"message":{"role":"assistant","content":"K\\u00f6ln","x_mood":"calm"},"logprobs":null,"finish_reason":"stop"}]}\n ';

const USAGE_EVENT =
  'data: {"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n';
/** Two events in one piece, one in two, a comment, CR LF, fields nobody knows, no space after a colon. */
const STREAM_HEAD = [
  'data: {"id":"chatcmpl-1","x":1.0,"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\ndata: {"id":"chatcmpl-1",',
  '"choices":[{"index":0,"delta":{"content":"K\\u00f6"},"finish_reason":null}]}\n\n',
  ": still here\n\n",
  'event: message\r\nid: 7\r\ndata:{"id":"chatcmpl-1","choices":[{"delta":{"content":"ln 🌍"},"index":0}],"p":"\\/"}\r\n\r\n',
  'data: { "id":"chatcmpl-1", "choices":[{"index":0,"delta":{},"finish_reason":"stop"}] }\n\n',
];
const STREAM_END = "data: [DONE]\n\n";

describe("a request to a provider of the same dialect", () => {
  const suite = openRecordedSuite();

  function post(body: string): Promise<Reply> {
    const headers = {
      authorization: `Bearer ${suite.gateway.key}`,
      "content-type": "application/json",
      "x-private": "to the gateway",
    };
    return send(`${suite.gateway.url}/v1/chat/completions`, { headers, body });
  }

  test("reaches it with not a byte changed but the model's name", async () => {
    for (const spelling of ['"recorder/m-1"', '"recorder\\/m-1"', '"\\u0072ecorder/m-1"']) {
      suite.upstream.answerWith({ contentType: "application/json", pieces: [ANSWER] });
      const { status } = await post(oddBody(spelling));
      assert.equal(status, 200);
      assert.equal(suite.upstream.only().body.toString("utf8"), oddBody('"m-1"'));
    }
  });

  test("reaches it with the gateway's credential and none of the caller's headers", async () => {
    suite.upstream.answerWith({ contentType: "application/json", pieces: [ANSWER] });
    await post(oddBody('"recorder/m-1"'));
    const { path, headers, body } = suite.upstream.only();
    assert.equal(path, "/v1/chat/completions");
    assert.equal(headers.authorization, `Bearer ${RECORDER_KEY}`);
    assert.equal(headers["content-length"], String(body.byteLength));
    assert.equal(headers["x-private"], undefined);
    assert.ok(!JSON.stringify(headers).includes(suite.gateway.key));
  });

  test("is answered with the provider's own bytes, and none of its headers", async () => {
    const provider = { "set-cookie": "session=1", "openai-organization": "org-secret", "x-request-id": "theirs" };
    suite.upstream.answerWith({ contentType: "application/json", headers: provider, pieces: [ANSWER] });
    const { text, headers } = await post(oddBody('"recorder/m-1"'));
    assert.equal(text, ANSWER);
    assert.equal(headers["set-cookie"], undefined);
    assert.equal(headers["openai-organization"], undefined);
    assert.match(String(headers["x-request-id"]), /^req_/);
  });

  test("that streams and asks for usage passes untouched in both directions", async () => {
    const pieces = [...STREAM_HEAD, USAGE_EVENT, STREAM_END];
    suite.upstream.answerWith({ contentType: "text/event-stream", pieces });
    const asked = ',"stream":true , "stream_options":{ "include_usage" : true,"x":0.0 }';
    const { chunks } = await post(oddBody('"recorder/m-1"', asked));
    assert.equal(suite.upstream.only().body.toString("utf8"), oddBody('"m-1"', asked));
    assert.deepEqual(Buffer.concat(chunks), Buffer.from(pieces.join("")));
  });

  test("that streams and asks for no usage is asked for it, and does not see it", async () => {
    suite.upstream.answerWith({ contentType: "text/event-stream", pieces: [...STREAM_HEAD, USAGE_EVENT, STREAM_END] });
    const { chunks } = await post(oddBody('"recorder/m-1"', ',"stream":true'));
    const sent = suite.upstream.only().body.toString("utf8");
    const { stream_options: options, ...rest } = JSON.parse(sent) as Record<string, unknown>;
    assert.deepEqual(options, { include_usage: true });
    assert.deepEqual(rest, JSON.parse(oddBody('"m-1"', ',"stream":true')));
    assert.equal(sent.replace(/,"stream_options":\{"include_usage":true\}/, ""), oddBody('"m-1"', ',"stream":true'));
    assert.deepEqual(Buffer.concat(chunks), Buffer.from([...STREAM_HEAD, STREAM_END].join("")));
  });

  test("for embeddings passes untouched in both directions, too", async () => {
    const answer =
      '{ "data":[{"embedding":[1.0,-0.50],"index":0,"object":"embedding"}],"model":"e","object":"list","usage":{"prompt_tokens":2,"total_tokens":2}}';
    suite.upstream.answerWith({ contentType: "application/json", pieces: [answer] });
    const body = (model: string): string => `{"x" : 1.0,"input":"K\\u00f6ln", "model":${model}}`;
    const headers = { authorization: `Bearer ${suite.gateway.key}`, "content-type": "application/json" };
    const { text } = await send(`${suite.gateway.url}/v1/embeddings`, { headers, body: body('"recorder/e-1"') });
    assert.equal(text, answer);
    assert.equal(suite.upstream.only().body.toString("utf8"), body('"e-1"'));
  });
});
