import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelConfig } from "../../src/config/config.ts";
import type { DeepPartial } from "../../src/config/defaults.ts";
import type { TrailStep } from "../../src/storage/records.ts";
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

const done = "data: [DONE]\n\n";

function chat(answer: (call: UpstreamCall, callsBefore: number) => void): HandWrittenProvider {
  let calls = 0;
  return { kind: "openai-compatible", answer: (call) => answer(call, calls++) };
}

/** Says these words in an answer of its own, with an id of its own, and finishes or breaks. */
function say(call: UpstreamCall, id: string, words: readonly string[], finishes: boolean): void {
  const said = words.map((word) => chatChunk({ content: word }, null, id)).join("");
  begin(call, chatChunk({ role: "assistant", content: "" }, null, id) + said);
  if (finishes) call.response.end(chatChunk({}, "stop", id) + done);
  else breakOff(call);
}

function messagesEvent(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** The same in Anthropic's dialect. */
function sayMessage(call: UpstreamCall, words: readonly string[]): void {
  const message = { id: "msg_2", type: "message", role: "assistant", model: "claude", content: [], usage: {} };
  begin(
    call,
    messagesEvent("message_start", { message }),
    messagesEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...words.map((text) => messagesEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
    messagesEvent("content_block_stop", { index: 0 }),
    messagesEvent("message_delta", {
      delta: { stop_reason: "end_turn" },
      usage: { input_tokens: 3, output_tokens: 4 },
    }),
  );
  call.response.end(messagesEvent("message_stop", {}));
}

function open(
  providers: Readonly<Record<string, HandWrittenProvider>>,
  route: DeepPartial<ModelConfig>,
): Promise<StreamScene> {
  const m = { commit: { whenBroken: "continue" as const }, retries: { attemptsMax: 2, backoffMs: 0 }, ...route };
  return openStreamScene(providers, { models: { m }, server: { heartbeatMs: 0 } });
}

async function ledgerOf({ gateway }: StreamScene): Promise<number> {
  const entries = await gateway.gateway.store.db.selectFrom("ledger_entries").select("attempt_id").execute();
  return entries.length;
}

test("a broken stream is continued by an attempt that repeats it to the letter, and both are charged", async () => {
  const steady = chat((call, before) => {
    if (before === 0) say(call, "gen-1", ["Once ", "upon "], false);
    else say(call, "gen-2", ["On", "ce upon a ", "time."], true);
  });
  await using scene = await open({ steady }, { targets: [{ model: "steady/m" }] });
  const text = await (await scene.ask({ model: "m", temperature: 0 })).end();
  assert.equal(textOf(text), "Once upon a time.");
  assert.equal(text.split(done).length, 2);
  assert.ok(!text.includes("gen-2"));
  assert.ok(!text.includes('"error"'));
  assert.match(text, /^: continued by steady\/m$/m);
  assert.equal(text.match(/"role"/g)?.length, 1);
  assert.equal(await ledgerOf(scene), 2);
  const { db } = scene.gateway.gateway.store;
  const { trail } = await db.selectFrom("requests").select("trail").executeTakeFirstOrThrow();
  const outcomes = (JSON.parse(trail ?? "[]") as TrailStep[]).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["failed", "continued"]);
});

test("an attempt that says something else is given up at once, and why the stream broke is told", async () => {
  const moody = chat((call, before) => {
    if (before === 0) say(call, "gen-1", ["Once ", "upon "], false);
    else say(call, "gen-2", ["There ", "was."], true);
  });
  await using scene = await open({ moody }, { targets: [{ model: "moody/m" }] });
  const text = await (await scene.ask({ model: "m" })).end();
  assert.equal(textOf(text), "Once upon ");
  assert.match(text, /"code":"stream_truncated"/);
  assert.ok(!text.includes(done));
  assert.ok(!text.includes("continued"));
  assert.equal(scene.calls["moody"]?.length, 2);
});

test("a model that takes a prefill goes on where the stream broke", async () => {
  const first = chat((call) => say(call, "gen-1", ["Once ", "upon "], false));
  const claude: HandWrittenProvider = {
    kind: "anthropic-compatible",
    answer: (call) => sayMessage(call, [" a", " time."]),
  };
  await using scene = await open(
    { first, claude },
    { targets: [{ model: "first/m" }], fallbacks: [{ model: "claude/claude-sonnet-4-5" }] },
  );
  const text = await (await scene.ask({ model: "m", max_tokens: 100 })).end();
  assert.equal(textOf(text), "Once upon a time.");
  assert.ok(text.endsWith(done));
  const [asked] = scene.calls["claude"] ?? [];
  assert.ok(asked);
  assert.deepEqual((asked["messages"] as unknown[]).at(-1), {
    role: "assistant",
    content: [{ type: "text", text: "Once upon" }],
  });
  assert.ok((asked["max_tokens"] as number) < 100);
});

test("a continuation that is refused does not hide why the stream broke", async () => {
  const first = chat((call) => say(call, "gen-1", ["Once ", "upon "], false));
  const claude: HandWrittenProvider = {
    kind: "anthropic-compatible",
    answer: ({ response }) =>
      void response
        .writeHead(400, { "content-type": "application/json" })
        .end(`{"type":"error","error":{"type":"invalid_request_error","message":"no prefill"}}`),
  };
  await using scene = await open(
    { first, claude },
    { targets: [{ model: "first/m" }], fallbacks: [{ model: "claude/claude-sonnet-4-5" }] },
  );
  const text = await (await scene.ask({ model: "m" })).end();
  assert.match(text, /"code":"stream_truncated"/);
  assert.ok(!text.includes("no prefill"));
});

test("what the request asks for and nobody could compare is not continued", async () => {
  const steady = chat((call) => say(call, "gen-1", ["Once ", "upon "], false));
  await using scene = await open({ steady }, { targets: [{ model: "steady/m" }] });
  const text = await (await scene.ask({ model: "m", logprobs: true })).end();
  assert.match(text, /"code":"stream_truncated"/);
  assert.equal(scene.calls["steady"]?.length, 1);
});

test("a continuation that breaks is continued in its turn", async () => {
  const brittle = chat((call, before) => {
    if (before === 0) say(call, "gen-1", ["Once "], false);
    else if (before === 1) say(call, "gen-2", ["Once ", "upon "], false);
    else say(call, "gen-3", ["Once ", "upon ", "a time."], true);
  });
  await using scene = await open(
    { brittle },
    { targets: [{ model: "brittle/m" }], retries: { attemptsMax: 3, backoffMs: 0 } },
  );
  const text = await (await scene.ask({ model: "m" })).end();
  assert.equal(textOf(text), "Once upon a time.");
  assert.equal(await ledgerOf(scene), 3);
});
