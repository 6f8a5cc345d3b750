import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ServerResponse } from "node:http";
import { eventually } from "../support/eventually.ts";
import { assertCaller } from "./caller-sees.ts";
import { assertRecord, recordsOf } from "./books.ts";
import { beginStream, finishStream } from "./hand-written.ts";
import type { Case } from "./lines/line.ts";
import type { Upstream } from "./table.ts";
import { timeLines } from "./lines/time.ts";
import { openScene, type Scene } from "./scene.ts";
import { testLines } from "./test-lines.ts";
import { startUpstream } from "./upstream-server.ts";

/** Cases that wait for most of their time. */
const SIDE_BY_SIDE = 8;
const ENDING_MS = 1_000;
/** A timer may end so much before its time. */
const EARLY_MS = 5;

let scene: Scene;
before(async () => {
  scene = await openScene({ timeouts: { idleMs: 600, endingMs: ENDING_MS } });
});
after(() => scene[Symbol.asyncDispose]());

/** Asks with these headers, and checks what it comes to. */
async function askWithin(one: Case, script: string, headers: Readonly<Record<string, string>>): Promise<void> {
  await scene.check(scene.ask({ ...one, script, headers }), one);
}

/** A provider whose streams are written by hand; resolves with the milliseconds that its answer took. */
async function askByHand(one: Case, write: (response: ServerResponse) => void): Promise<number> {
  const { caller, upstream, stream, outcome } = one;
  await using server = await startUpstream((_, response) => {
    beginStream(response, upstream);
    write(response);
  });
  const provider = `by-hand-${scene.nextAgent()}`;
  scene.provide(provider, upstream, { baseUrl: server.url });
  const startedMs = performance.now();
  const asked = scene.ask({ ...one, provider });
  const reply = await asked.reply;
  const tookMs = performance.now() - startedMs;
  assertCaller(reply, outcome, stream, caller);
  const row = await eventually("a record", () => recordsOf(scene.books, asked).executeTakeFirst());
  assertRecord(row, outcome);
  assert.equal(row.basis, outcome.charged === "reported" ? "reported" : "metered");
  if (row.basis === "reported") assert.deepEqual([row.input_tokens, row.output_tokens], [3, 1]);
  else assert.ok(row.input_tokens > 0 && row.output_tokens > 0);
  assert.equal(server.requests, 1);
  return tookMs;
}

/** Longer than a body of this size can be read, by far. */
const FILLER = "x".repeat(4_000_000);
const BEAT_MS = 20;

testLines(
  timeLines,
  {
    async "deadline before output"(one) {
      await askWithin(one, "ttft=20000", { "x-headgate-deadline-ms": "1000" });
      await askWithin(one, "ttft=20000", { "x-stainless-timeout": "1" });
    },
    "deadline in stream": (one) => askWithin(one, "tokens=2000,rate=100", { "x-headgate-deadline-ms": "1000" }),
    "SDK's timeout in stream": (one) => askWithin(one, "tokens=150,rate=100", { "x-stainless-timeout": "1" }),
    async "deadline before call"(one) {
      const messages = [{ role: "user", content: FILLER }];
      const body = { model: "simulator/sim-chat", stream: one.stream, max_tokens: 1, messages };
      await scene.check(scene.ask({ ...one, headers: { "x-headgate-deadline-ms": "1" }, body }), one);
    },
    async "total time"(one) {
      await using short = await openScene({ timeouts: { totalMs: 1_000 } });
      await short.check(short.ask({ ...one, script: "tokens=2000,rate=100" }), one);
      await short.assertBooks();
    },
    async "only comments"(one) {
      let beat: NodeJS.Timeout | undefined;
      await askByHand(one, (response) => {
        beat = setInterval(() => response.write(`: still here\n\n${saysNothing[one.upstream]}`), BEAT_MS);
      });
      clearInterval(beat);
    },
    async "stays open"(one) {
      const tookMs = await askByHand(one, (response) => finishStream(response, one.upstream, true));
      assert.ok(tookMs < ENDING_MS, `${tookMs} ms`);
    },
    async "stays open without usage"(one) {
      const tookMs = await askByHand(one, (response) => finishStream(response, one.upstream, false));
      assert.ok(tookMs >= ENDING_MS - EARLY_MS && tookMs < 3 * ENDING_MS, `${tookMs} ms`);
    },
  },
  { sideBySide: SIDE_BY_SIDE },
);

/** Events that keep a connection open. */
const saysNothing: Readonly<Record<Upstream, string>> = {
  "openai-chat": `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: null }] })}\n\n`,
  "anthropic-messages": `event: ping\ndata: {"type": "ping"}\n\n`,
};

test("time that is up leaves the books in order", () => scene.assertBooks());
