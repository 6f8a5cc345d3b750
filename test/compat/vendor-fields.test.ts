import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openRecordedSuite } from "./recorded-suite.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const logprobs = [
  { token: "Hi", logprob: -0.25, bytes: [72, 105], top_logprobs: [{ token: "Hi", logprob: -0.25, bytes: [72, 105] }] },
];

function sse(...events: readonly object[]): string[] {
  return [...events.map((event) => `data: ${JSON.stringify(event)}\n\n`), "data: [DONE]\n\n"];
}

function message(change: object): string {
  const usage = { input_tokens: 3, output_tokens: 2 };
  const rest = { stop_reason: "end_turn", stop_sequence: null, content: [{ type: "text", text: "Hi" }], usage };
  return JSON.stringify({ id: "msg_1", type: "message", role: "assistant", model: "claude-x", ...rest, ...change });
}

describe("what a provider says beyond plain text, through the SDK", () => {
  const suite = openRecordedSuite();
  const native = "recorder/m-1";
  const translated = "recorder-anthropic/claude-x";

  test("log probabilities pass through, streamed or not", async () => {
    const choice = { index: 0, logprobs: { content: logprobs, refusal: null }, finish_reason: "stop" };
    const answer = { id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m-1" };
    const pieces = [
      JSON.stringify({ ...answer, choices: [{ ...choice, message: { role: "assistant", content: "Hi" } }] }),
    ];
    suite.upstream.answerWith({ contentType: "application/json", pieces });
    const asked = { model: native, messages, logprobs: true, top_logprobs: 1 };
    const whole = await suite.client.chat.completions.create(asked);
    assert.deepEqual(whole.choices[0]?.logprobs?.content, logprobs);
    assert.deepEqual(JSON.parse(suite.upstream.only().body.toString("utf8")), { ...asked, model: "m-1" });

    const chunk = { ...answer, object: "chat.completion.chunk" };
    const delta = { role: "assistant", content: "Hi" };
    suite.upstream.answerWith({
      contentType: "text/event-stream",
      pieces: sse(
        { ...chunk, choices: [{ ...choice, delta, finish_reason: null }] },
        { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      ),
    });
    const summed = await suite.client.chat.completions.stream(asked).finalChatCompletion();
    assert.deepEqual(summed.choices[0]?.logprobs?.content, logprobs);
  });

  test("a refusal, citations and fields that are new to everyone pass through", async () => {
    const annotations = [{ type: "url_citation", url_citation: { url: "https://example.com", title: "t" } }];
    const said = { role: "assistant", content: null, refusal: "I will not.", annotations, x_new: { a: [1] } };
    const choices = [{ index: 0, message: said, logprobs: null, finish_reason: "stop" }];
    const answer = { id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m-1", choices, x_new: 7 };
    suite.upstream.answerWith({ contentType: "application/json", pieces: [JSON.stringify(answer)] });
    const completion = await suite.client.chat.completions.create({ model: native, messages });
    assert.deepEqual({ ...completion }, answer);
  });

  test("a stop sequence of Anthropic's API is the reason stop", async () => {
    const stopped = { stop_reason: "stop_sequence", stop_sequence: "END" };
    suite.upstream.answerWith({ contentType: "application/json", pieces: [message(stopped)] });
    const completion = await suite.client.chat.completions.create({ model: translated, messages, stop: "END" });
    assert.equal(completion.choices[0]?.finish_reason, "stop");
    const { path, headers, body } = suite.upstream.only();
    assert.equal(path, "/v1/messages");
    assert.equal(headers["anthropic-version"], "2023-06-01");
    assert.deepEqual(JSON.parse(body.toString("utf8")).stop_sequences, ["END"]);
  });

  test("a refusal of Anthropic's API is one in OpenAI's shape", async () => {
    const stop_details = { type: "refusal", explanation: "Not this." };
    const refused = { stop_reason: "refusal", content: [], stop_details };
    suite.upstream.answerWith({ contentType: "application/json", pieces: [message(refused)] });
    const completion = await suite.client.chat.completions.create({ model: translated, messages });
    const [choice] = completion.choices;
    assert.deepEqual(
      [choice?.finish_reason, choice?.message.content, choice?.message.refusal],
      ["content_filter", null, "Not this."],
    );
  });

  test("a streamed call without arguments has the arguments {}", async () => {
    const head = { id: "msg_1", type: "message", role: "assistant", model: "claude-x", content: [] };
    const call = { type: "tool_use", id: "toolu_1", name: "look", input: {} };
    const events = [
      { type: "message_start", message: { ...head, usage: { input_tokens: 3, output_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: call },
      { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: "" } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
      { type: "message_stop" },
    ];
    const pieces = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    suite.upstream.answerWith({ contentType: "text/event-stream", pieces });
    const tools = [{ type: "function" as const, function: { name: "look" } }];
    const stream = suite.client.chat.completions.stream({ model: translated, messages, tools });
    const [choice] = (await stream.finalChatCompletion()).choices;
    assert.equal(choice?.finish_reason, "tool_calls");
    assert.deepEqual(
      choice.message.tool_calls?.map((each) => each.type === "function" && [each.id, each.function.arguments]),
      [["toolu_1", "{}"]],
    );
  });

  test("several text blocks are one text, and blocks that nobody asked for are left out", async () => {
    const content = [
      { type: "text", text: "One, " },
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
      { type: "text", text: "two." },
      { type: "block_of_next_year", data: "?" },
    ];
    suite.upstream.answerWith({ contentType: "application/json", pieces: [message({ content })] });
    const completion = await suite.client.chat.completions.create({ model: translated, messages });
    assert.equal(completion.choices[0]?.message.content, "One, two.");
  });
});
