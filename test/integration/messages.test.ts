/** Callers of the Messages API before providers of both dialects: what happens when a provider fails or falls silent. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../src/config/config.ts";
import type { DeepPartial } from "../../src/config/defaults.ts";
import { evidenceOf } from "../support/evidence.ts";
import {
  begin,
  breakOff,
  chatChunk,
  openStreamScene,
  type HandWrittenProvider,
  type StreamScene,
  type UpstreamCall,
} from "../support/stream-scene.ts";
import { eventData, send, type Reply, type SendOptions } from "../support/simulator-client.ts";

const messageStop = event("message_stop", {});

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function said(index: number, text: string): string {
  return event("content_block_delta", { index, delta: { type: "text_delta", text } });
}

function messageStart(id: string): string {
  const usage = { input_tokens: 3, output_tokens: 1 };
  return event("message_start", {
    message: { id, type: "message", role: "assistant", model: "claude", content: [], usage },
  });
}

/** A message of one block of text. */
function messageOf(id: string, words: readonly string[]): string[] {
  return [
    messageStart(id),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...words.map((word) => said(0, word)),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 4 } }),
    messageStop,
  ];
}

function anthropic(answer: (call: UpstreamCall, callsBefore: number) => void): HandWrittenProvider {
  let calls = 0;
  return { kind: "anthropic-compatible", answer: (call) => answer(call, calls++) };
}

function openai(answer: (call: UpstreamCall, callsBefore: number) => void): HandWrittenProvider {
  let calls = 0;
  return { kind: "openai-compatible", answer: (call) => answer(call, calls++) };
}

function answerChat(call: UpstreamCall, words: readonly string[]): void {
  begin(call, chatChunk({ role: "assistant", content: "" }), ...words.map((content) => chatChunk({ content })));
  call.response.end(`${chatChunk({}, "stop")}data: [DONE]\n\n`);
}

function answerJson({ response }: UpstreamCall, body: object): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

function breakChat(call: UpstreamCall, words: readonly string[]): void {
  begin(call, chatChunk({ role: "assistant", content: "" }), ...words.map((content) => chatChunk({ content })));
  breakOff(call);
}

function answerMessage(call: UpstreamCall, words: readonly string[]): void {
  begin(call, ...messageOf("msg_2", words));
  call.response.end();
}

function breakMessage(call: UpstreamCall, words: readonly string[]): void {
  begin(call, ...messageOf("msg_1", [...words, "never"]).slice(0, 2 + words.length));
  breakOff(call);
}

/** In a shape that both dialects understand. */
function refuse({ response }: UpstreamCall): void {
  response.writeHead(529, { "content-type": "application/json" });
  response.end('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}');
}

function ask({ gateway }: StreamScene, request: object = {}, onChunk?: SendOptions["onChunk"]): Promise<Reply> {
  return send(`${gateway.url}/v1/messages`, {
    headers: { "x-api-key": gateway.key, "anthropic-version": "2023-06-01", "content-type": "application/json" },
    body: { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hi" }], stream: true, ...request },
    ...(onChunk === undefined ? {} : { onChunk }),
  });
}

interface Told {
  readonly types: readonly string[];
  readonly text: string;
}

/** What a caller makes of a stream; the types of its events without repetitions. */
function read(reply: Reply): Told {
  const events = eventData(reply.text).map((data) => JSON.parse(data));
  const types = events.map(({ type }) => type as string);
  const text = events.map(({ delta }) => delta?.text ?? "").join("");
  return { types: types.filter((type, index) => type !== types[index - 1]), text };
}

const wholeOrder = [
  "message_start",
  "content_block_start",
  "content_block_delta",
  "content_block_stop",
  "message_delta",
  "message_stop",
];

function route(targets: readonly string[], more: DeepPartial<Config["models"][string]> = {}): DeepPartial<Config> {
  const [first = "", ...fallbacks] = targets;
  const m = {
    targets: [{ model: first }],
    fallbacks: fallbacks.map((model) => ({ model })),
    retries: { attemptsMax: 2, backoffMs: 0 },
    ...more,
  };
  return { models: { m }, server: { heartbeatMs: 0 } };
}

describe("a caller of the Messages API", () => {
  for (const [failing, serving] of [
    ["claude/claude-opus-4-8", "gpt/gpt-5"],
    ["gpt/gpt-5", "claude/claude-opus-4-8"],
  ] as const) {
    test(`is served by ${serving} when ${failing} fails`, async () => {
      const isFailing = (name: string): boolean => failing.startsWith(name);
      await using scene = await openStreamScene(
        {
          claude: anthropic((call) => (isFailing("claude") ? refuse(call) : answerMessage(call, ["a"]))),
          gpt: openai((call) => (isFailing("gpt") ? refuse(call) : answerChat(call, ["a"]))),
        },
        route([failing, serving]),
      );
      const reply = await ask(scene);
      assert.deepEqual(read(reply), { types: wholeOrder, text: "a" });
      assert.equal(reply.headers["x-headgate-model"], serving);
    });
  }

  for (const at of ["complete", "window"] as const) {
    test(`sees nothing of an answer that broke while it was held back (${at})`, async () => {
      await using scene = await openStreamScene(
        {
          gpt: openai((call) => breakChat(call, ["Once "])),
          claude: anthropic((call) => answerMessage(call, ["Whole."])),
        },
        route(["gpt/gpt-5", "claude/claude-opus-4-8"], { commit: { at, windowMs: 30_000 } }),
      );
      const reply = await ask(scene);
      assert.deepEqual(read(reply), { types: wholeOrder, text: "Whole." });
      assert.equal(reply.headers["x-headgate-model"], "claude/claude-opus-4-8");
    });
  }

  test("hears in an event of the API why a stream broke that nobody goes on with", async () => {
    await using scene = await openStreamScene(
      { gpt: openai((call) => breakChat(call, ["Once "])) },
      route(["gpt/gpt-5"]),
    );
    const reply = await ask(scene);
    const { types, text } = read(reply);
    assert.deepEqual([types.at(-1), text], ["error", "Once "]);
    assert.match(
      reply.text,
      /event: error\ndata: \{"type":"error","error":\{"type":"api_error".*"code":"stream_truncated"/,
    );
    assert.ok(!reply.text.includes("message_stop"));
  });

  test("gets the rest of a stream that broke from a call that repeats what it was shown", async () => {
    await using scene = await openStreamScene(
      {
        claude: anthropic((call, before) => {
          if (before === 0) breakMessage(call, ["Once ", "upon "]);
          else answerMessage(call, ["Once ", "upon ", "a time."]);
        }),
      },
      route(["claude/claude-opus-4-8"], { commit: { whenBroken: "continue" } }),
    );
    const reply = await ask(scene);
    assert.deepEqual(read(reply), { types: wholeOrder, text: "Once upon a time." });
    assert.ok(!reply.text.includes("msg_2"));
    assert.match(reply.text, /^: continued by claude\/claude-opus-4-8$/m);
  });

  for (const first of ["gpt/gpt-5", "claude/claude-sonnet-4-6"]) {
    test(`gets the rest of what ${first} began from a model that takes a beginning of its answer`, async () => {
      await using scene = await openStreamScene(
        {
          gpt: openai((call) => breakChat(call, ["Once ", "upon "])),
          claude: anthropic((call) => {
            if (call.body["model"] === "claude-sonnet-4-5") answerMessage(call, [" a", " time."]);
            else breakMessage(call, ["Once ", "upon "]);
          }),
        },
        route([first, "claude/claude-sonnet-4-5"], { commit: { whenBroken: "continue" } }),
      );
      const reply = await ask(scene);
      assert.deepEqual(read(reply), { types: wholeOrder, text: "Once upon a time." });
      const asked = scene.calls["claude"]?.at(-1) ?? {};
      assert.deepEqual((asked["messages"] as unknown[]).at(-1), {
        role: "assistant",
        content: [{ type: "text", text: "Once upon" }],
      });
      assert.ok((asked["max_tokens"] as number) < 100);
    });
  }

  test("is sent comments, and no events, while a provider that has accepted the request is silent", async () => {
    const accepted: UpstreamCall[] = [];
    await using scene = await openStreamScene(
      {
        claude: anthropic((call) => {
          begin(call);
          call.response.flushHeaders();
          accepted.push(call);
        }),
      },
      { ...route(["claude/claude-opus-4-8"]), server: { heartbeatMs: 40 } },
    );
    const reply = await ask(scene, {}, (received) => {
      if (received.includes(": keep-alive")) accepted.pop()?.response.end(messageOf("msg_1", ["late"]).join(""));
    });
    assert.match(reply.text, /^: keep-alive\n\n/);
    assert.deepEqual(read(reply), { types: wholeOrder, text: "late" });
  });

  test("is given the gateway's count, as it is charged, where a chat provider tells no usage", async () => {
    const words = ["Many", " words", ", and", " no", " count", "."];
    const message = { role: "assistant", content: words.join("") };
    const whole = { id: "x", model: "gpt-5", choices: [{ index: 0, message, finish_reason: "stop" }] };
    await using scene = await openStreamScene(
      { gpt: openai((call, before) => (before === 0 ? answerChat(call, words) : answerJson(call, whole))) },
      route(["gpt/gpt-5"]),
    );
    const streamed = await ask(scene);
    const delta = eventData(streamed.text).find((data) => data.includes('"message_delta"')) ?? "";
    const collected = await ask(scene, { stream: false });
    for (const [reply, said] of [
      [streamed, delta],
      [collected, collected.text],
    ] as const) {
      const { entries } = await evidenceOf(scene.gateway.gateway, String(reply.headers["x-request-id"]));
      assert.deepEqual([entries.length, entries[0]?.basis], [1, "metered"]);
      const { usage } = JSON.parse(said);
      const charged = [entries[0]?.input_tokens, entries[0]?.output_tokens];
      assert.deepEqual([usage.input_tokens, usage.output_tokens], charged);
      assert.ok(usage.input_tokens > 10 && usage.output_tokens > 5, said);
    }
  });

  test("is given the usage that a chat provider tells after its reason", async () => {
    await using scene = await openStreamScene(
      {
        gpt: openai((call) => {
          begin(call, chatChunk({ role: "assistant", content: "a" }), chatChunk({}, "stop"));
          const usage = { prompt_tokens: 30, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 10 } };
          call.response.end(`data: ${JSON.stringify({ id: "x", choices: [], usage })}\n\ndata: [DONE]\n\n`);
        }),
      },
      route(["gpt/gpt-5"]),
    );
    const [delta] = eventData((await ask(scene)).text).flatMap((data) =>
      data.includes('"message_delta"') ? [JSON.parse(data)] : [],
    );
    assert.equal(delta.delta.stop_reason, "end_turn");
    assert.deepEqual(
      [delta.usage.input_tokens, delta.usage.cache_read_input_tokens, delta.usage.output_tokens],
      [20, 10, 5],
    );
  });
});
