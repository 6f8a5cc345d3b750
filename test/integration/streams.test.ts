import assert from "node:assert/strict";
import { test } from "node:test";
import { Stream } from "openai/streaming";
import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import type { CommitConfig } from "../../src/config/config.ts";
import { eventually } from "../support/eventually.ts";
import { evidenceOf } from "../support/evidence.ts";
import {
  begin,
  breakOff,
  chatChunk,
  openStreamScene,
  textOf,
  type HandWrittenProvider,
  type StreamScene,
  type UpstreamCall,
} from "../support/stream-scene.ts";

const role = chatChunk({ role: "assistant", content: "" });
const stop = chatChunk({}, "stop");
const done = "data: [DONE]\n\n";
const words = (...each: readonly string[]): string => each.map((word) => chatChunk({ content: word })).join("");
const whole = role + words("It ", "is ", "whole.") + stop + done;
const comment = ": keep-alive\n\n";

function provider(answer: (call: UpstreamCall) => void): HandWrittenProvider {
  return { kind: "openai-compatible", answer };
}

const answersWhole = provider((call) => {
  begin(call, whole);
  call.response.end();
});

const breaksAfterTwoWords = provider((call) => {
  begin(call, role, words("It ", "was "));
  breakOff(call);
});

/** Alias `m`: `first`, and `second` in its place. */
function openPair(first: HandWrittenProvider, commit: Partial<CommitConfig>, heartbeatMs = 0): Promise<StreamScene> {
  const m = {
    targets: [{ model: "first/m" }],
    fallbacks: [{ model: "second/m" }],
    retries: { attemptsMax: 2 },
    commit,
  };
  return openStreamScene({ first, second: answersWhole }, { models: { m }, server: { heartbeatMs } });
}

test("with commit `complete`, a stream that breaks in the middle is replaced without the caller seeing it", async () => {
  await using scene = await openPair(breaksAfterTwoWords, { at: "complete" });
  const asked = await scene.ask({ model: "m" });
  assert.equal(asked.status, 200);
  assert.equal(await asked.end(), whole);
  assert.equal(asked.headers.get("x-headgate-model"), "second/m");
});

test("the connection to a provider is used again after an answer that was held back and is larger than any buffer", async () => {
  const sockets = new Set<unknown>();
  const large = provider((call) => {
    sockets.add(call.response.socket);
    begin(call, role, words(...Array.from({ length: 2_000 }, () => "word ".repeat(20))), stop);
    call.response.end(done);
  });
  await using scene = await openPair(large, { at: "complete" });
  for (let round = 0; round < 3; round++) {
    const text = await (await scene.ask({ model: "m" })).end();
    assert.equal(textOf(text).length, 2_000 * 100);
  }
  assert.equal(sockets.size, 1);
});

test("a caller has the end of a whole answer before the provider says its own, and the connection is used again", async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
  const told = `data: ${JSON.stringify({ id: "chatcmpl-1", model: "m", choices: [], usage })}\n\n`;
  let last: UpstreamCall | null = null;
  const slowToEnd = provider((call) => {
    last = call;
    begin(call, role, words("Hi"), stop, told);
  });
  await using scene = await openStreamScene({ first: slowToEnd }, {});
  const sockets = new Set<unknown>();
  await eventually("a connection that is used again", async () => {
    assert.equal(await (await scene.ask({ model: "first/m" })).end(), role + words("Hi") + stop + done);
    const { response } = last as unknown as UpstreamCall;
    const isUsedAgain = sockets.has(response.socket);
    sockets.add(response.socket);
    response.end(done);
    return isUsedAgain;
  });
});

test("a Messages stream that keeps back its marker and stays open is complete with its stop reason and usage", async () => {
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    usage: { input_tokens: 3 },
  };
  const first: HandWrittenProvider = {
    kind: "anthropic-compatible",
    answer: (call) =>
      begin(
        call,
        event("message_start", { message }),
        event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
        event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "Hi" } }),
        event("content_block_stop", { index: 0 }),
        event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }),
      ),
  };
  await using scene = await openStreamScene({ first }, { timeouts: { endingMs: 600_000, idleMs: 600_000 } });
  const asked = await scene.ask({ model: "first/m" });
  const text = await asked.end();
  assert.equal(textOf(text), "Hi");
  assert.ok(text.endsWith(done));
  const { row } = await evidenceOf(scene.gateway.gateway, String(asked.headers.get("x-request-id")));
  assert.deepEqual([row.ending, row.basis, row.output_tokens], ["complete", "reported", 1]);
});

test("with commit `window`, a stream that breaks within it is replaced, and one that breaks after it is not", async () => {
  await using within = await openPair(breaksAfterTwoWords, { at: "window", windowTokens: 3, windowMs: 60_000 });
  assert.equal(await (await within.ask({ model: "m" })).end(), whole);
  await using after = await openPair(breaksAfterTwoWords, { at: "window", windowTokens: 2, windowMs: 60_000 });
  const broken = await (await after.ask({ model: "m" })).end();
  assert.equal(textOf(broken), "It was ");
  assert.match(broken, /"error"/);
  assert.ok(!broken.includes(done));
});

test("a window ends after its time, with what has come until then", async () => {
  let first: UpstreamCall | null = null;
  const silent = provider((call) => {
    first = call;
    begin(call, role, words("It "));
  });
  await using scene = await openPair(silent, { at: "window", windowTokens: 1_000, windowMs: 50 });
  const asked = await scene.ask({ model: "m" });
  await asked.until((text) => text.includes("It "));
  (first as UpstreamCall | null)?.response.end(stop + done);
  assert.equal(await asked.end(), role + words("It ") + stop + done);
});

test("an answer that is held back keeps its connection open with comments, which the SDK passes over", async () => {
  let first: UpstreamCall | null = null;
  const slow = provider((call) => {
    first = call;
    begin(call, role, words("It ", "is "));
  });
  await using scene = await openPair(slow, { at: "complete" }, 40);
  const asked = await scene.ask({ model: "m" });
  await asked.until((text) => text.includes(comment.repeat(2)));
  assert.equal(textOf(asked.text), "");
  (first as UpstreamCall | null)?.response.end(words("here.") + stop + done);
  const text = await asked.end();
  assert.equal(text.replaceAll(comment, ""), role + words("It ", "is ", "here.") + stop + done);
  const decoded = Stream.fromSSEResponse<ChatCompletionChunk>(new Response(text), new AbortController());
  const chunks = await Array.fromAsync(decoded);
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "It is here.");
});

test("a provider that is silent in the middle of its answer has comments sent in its place", async () => {
  let first: UpstreamCall | null = null;
  const pausing = provider((call) => {
    first = call;
    begin(call, role, words("It "));
  });
  await using scene = await openPair(pausing, {}, 40);
  const asked = await scene.ask({ model: "m" });
  await asked.until((text) => text.includes(comment));
  assert.equal(textOf(asked.text), "It ");
  (first as UpstreamCall | null)?.response.end(stop + done);
  assert.ok((await asked.end()).endsWith(stop + done));
});

test("after an early head a failure is an error event, before it a status", async () => {
  const alone = { targets: [{ model: "first/m" }], retries: { attemptsMax: 1 } };
  const pending: UpstreamCall[] = [];
  const late = provider((call) => {
    pending.push(call);
    begin(call, role);
  });
  await using scene = await openStreamScene({ first: late }, { models: { m: alone }, server: { heartbeatMs: 40 } });
  const asked = await scene.ask({ model: "m" });
  assert.equal(asked.status, 200);
  assert.equal(asked.headers.get("x-headgate-model"), "first/m");
  await asked.until((text) => text.includes(comment));
  for (const call of pending) breakOff(call);
  const text = await asked.end();
  assert.match(text, /"code":"stream_truncated"/);
  assert.ok(!text.includes(done));

  const soon = provider((call) => {
    begin(call, role);
    breakOff(call);
  });
  await using prompt = await openStreamScene(
    { first: soon },
    { models: { m: alone }, server: { heartbeatMs: 60_000 } },
  );
  assert.equal((await prompt.ask({ model: "m" })).status, 502);
});

test("an event that cannot be read breaks a stream, or is left out where the model says so", async () => {
  const garbles = provider((call) => {
    begin(call, role, words("It "), 'data: {"oops\n\n', words("is."), stop, done);
    call.response.end();
  });
  const target = { targets: [{ model: "first/m" }], retries: { attemptsMax: 1 } };
  const models = { strict: target, lenient: { ...target, invalidEvents: "skip" as const } };
  await using scene = await openStreamScene({ first: garbles }, { models });
  const strict = await (await scene.ask({ model: "strict" })).end();
  assert.equal(textOf(strict), "It ");
  assert.match(strict, /"error".*cannot be read/);
  const lenient = await scene.ask({ model: "lenient" });
  assert.equal(await lenient.end(), role + words("It ", "is.") + stop + done);
  const { row } = await evidenceOf(scene.gateway.gateway, String(lenient.headers.get("x-request-id")));
  assert.deepEqual([row.ending, row.invalid_events], ["complete", 1]);
});
