import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ServerResponse } from "node:http";
import { eventually } from "../support/eventually.ts";
import { assertCaller } from "./caller-sees.ts";
import { assertRecord, recordsOf } from "./books.ts";
import { beginStream, beginWhole, finishStream, wholeInPieces } from "./hand-written.ts";
import type { Case } from "./lines/line.ts";
import type { Upstream } from "./table.ts";
import { timeLines } from "./lines/time.ts";
import { openScene, type Scene } from "./scene.ts";
import { testLines } from "./test-lines.ts";
import { startUpstream } from "./upstream-server.ts";

/** Cases that wait for most of their time. */
const SIDE_BY_SIDE = 8;
const ENDING_MS = 1_000;
const IDLE_MS = 600;
/** More than a loaded machine delays one piece by, and less than all take. */
const PATIENT_MS = 4_000;
/** Nobody waits for so long. */
const LONG_MS = 20_000;
const BLANKS = 12;
const PIECES = 10;
const PIECE_MS = 500;
/** A timer may end so much before its time. */
const EARLY_MS = 5;

let scene: Scene;
before(async () => {
  scene = await openScene({ timeouts: { idleMs: IDLE_MS, endingMs: ENDING_MS } });
});
after(() => scene[Symbol.asyncDispose]());

/** Asks with these headers, and checks what it comes to. */
async function askWithin(one: Case, script: string, headers: Readonly<Record<string, string>>): Promise<void> {
  await scene.check(scene.ask({ ...one, script, headers }), one);
}

/** A provider whose answers are written by hand; resolves with the milliseconds that one took. */
async function askByHand(one: Case, write: (response: ServerResponse) => void, place: Scene = scene): Promise<number> {
  const { caller, upstream, stream, outcome } = one;
  await using server = await startUpstream((_, response) => {
    if (stream) beginStream(response, upstream);
    else beginWhole(response);
    write(response);
  });
  const provider = `by-hand-${place.nextAgent()}`;
  place.provide(provider, upstream, { baseUrl: server.url });
  const startedMs = performance.now();
  const asked = place.ask({ ...one, provider });
  const reply = await asked.reply;
  const tookMs = performance.now() - startedMs;
  assertCaller(reply, outcome, stream, caller);
  const row = await eventually("a record", () => recordsOf(place.books, asked).executeTakeFirst());
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

/** Until nobody listens any more. */
function keepWriting(response: ServerResponse, text: string): void {
  const beat = setInterval(() => response.write(text), BEAT_MS);
  response.on("close", () => clearInterval(beat));
}

/** One piece after the other, and the end with the last. */
function writeSlowly(response: ServerResponse, pieces: readonly string[], everyMs: number): void {
  const left = [...pieces];
  const beat = setInterval(() => {
    response.write(left.shift() ?? "");
    if (left.length === 0) response.end();
  }, everyMs);
  response.on("close", () => clearInterval(beat));
}

testLines(
  timeLines,
  {
    async "deadline before output"(one) {
      await askWithin(one, "ttft=20000", { "x-headgate-deadline-ms": "1000" });
      await askWithin(one, "ttft=20000", { "x-stainless-timeout": "1" });
    },
    "deadline in stream": (one) => askWithin(one, "tokens=2000,rate=100", { "x-headgate-deadline-ms": "3000" }),
    "SDK's timeout in stream": (one) => askWithin(one, "tokens=400,rate=100", { "x-stainless-timeout": "3" }),
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
      await askByHand(one, (response) => keepWriting(response, `: still here\n\n${saysNothing[one.upstream]}`));
    },
    async "blank lines before"(one) {
      const blanks = Array<string>(BLANKS).fill("\n");
      const pieces = [...blanks, ...wholeInPieces(one.upstream, 1)];
      const tookMs = await askByHand(one, (response) => writeSlowly(response, pieces, (2 * IDLE_MS) / BLANKS));
      assert.ok(tookMs > IDLE_MS, `${tookMs} ms`);
    },
    async "blank lines within"(one) {
      await askByHand(one, (response) => {
        response.write(wholeInPieces(one.upstream, 2)[0]);
        keepWriting(response, "\n");
      });
    },
    async "in pieces"(one) {
      await using patient = await openScene({ timeouts: { idleMs: PATIENT_MS } });
      const pieces = wholeInPieces(one.upstream, PIECES);
      const tookMs = await askByHand(one, (response) => writeSlowly(response, pieces, PIECE_MS), patient);
      assert.ok(tookMs > PATIENT_MS, `${tookMs} ms`);
      await patient.assertBooks();
    },
    async "whole stays open"(one) {
      await using waiting = await openScene({ timeouts: { idleMs: LONG_MS } });
      const [text = ""] = wholeInPieces(one.upstream, 1);
      const tookMs = await askByHand(one, (response) => response.write(text), waiting);
      assert.ok(tookMs >= ENDING_MS - EARLY_MS && tookMs < LONG_MS, `${tookMs} ms`);
      await waiting.assertBooks();
    },
    async "stays open"(one) {
      await using waiting = await openScene({ timeouts: { endingMs: LONG_MS, idleMs: LONG_MS } });
      const tookMs = await askByHand(one, (response) => finishStream(response, one.upstream, true), waiting);
      assert.ok(tookMs < LONG_MS, `${tookMs} ms`);
      await waiting.assertBooks();
    },
    async "stays open without usage"(one) {
      const tookMs = await askByHand(one, (response) => finishStream(response, one.upstream, false));
      assert.ok(tookMs >= ENDING_MS - EARLY_MS && tookMs < LONG_MS, `${tookMs} ms`);
      await using hasty = await openScene({ timeouts: { endingMs: 0, idleMs: LONG_MS } });
      const atOnceMs = await askByHand(one, (response) => finishStream(response, one.upstream, false), hasty);
      assert.ok(atOnceMs < LONG_MS, `${atOnceMs} ms`);
      await hasty.assertBooks();
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
