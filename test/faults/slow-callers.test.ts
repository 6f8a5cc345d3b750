import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { after, before, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import { send } from "../support/simulator-client.ts";
import { models, replyOf } from "./asker.ts";
import { assertBooked, assertRecord, recordsOf } from "./books.ts";
import { besides } from "./lines/besides.ts";
import { slowCallerLines } from "./lines/callers.ts";
import type { Case } from "./lines/line.ts";
import { answered, callerGone } from "./outcome.ts";
import { openScene, type Scene } from "./scene.ts";
import { speeches } from "./speech.ts";
import { testLines } from "./test-lines.ts";
import { startUpstream } from "./upstream-server.ts";

const HEADER_MS = 400;
const PATIENCE_MS = 60_000;
const LORISES = 60;
/** At a time. */
const READ_BYTES = 1_048_576;
const PAUSE_MS = 150;
const IDLE_MS = 1_000;
const SLOW_IDLE_MS = 1_500;
/** Of 300 bytes each: more than the sockets of one machine take before a writer has to wait. */
const TOKENS = 100_000;
/** What the sockets of one machine take before a writer has to wait, and the gateway's own buffer. */
const WRITTEN_BYTES_MAX = 16_000_000;

let scene: Scene;
before(async () => {
  scene = await openScene({
    timeouts: { idleMs: IDLE_MS },
    limits: { responseBytes: 67_108_864 },
  });
});
after(() => scene[Symbol.asyncDispose]());

/** A request whose head comes letter by letter, and never wholly. */
async function beginSlowly(url: string): Promise<RawConnection & { stop(): void }> {
  const connection = await connectRaw(url);
  connection.write("POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nx-padding: ");
  const drip = setInterval(() => connection.write("x"), 50);
  return { ...connection, stop: () => clearInterval(drip) };
}

/** Reads so much at a time, then nothing for a moment that is shorter than a reader may take; counts, and keeps the end. */
class SlowReader {
  bytes = 0;
  tail = "";
  isHurried = false;

  constructor(socket: Socket) {
    let restedAtBytes = 0;
    socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.tail = (this.tail + chunk.subarray(-128).toString("latin1")).slice(-128);
      if (this.isHurried || this.bytes - restedAtBytes < READ_BYTES) return;
      restedAtBytes = this.bytes;
      socket.pause();
      setTimeout(() => socket.resume(), PAUSE_MS);
    });
  }
}

async function askRaw(scene: Scene, one: Case, agent: string, script: string): Promise<RawConnection> {
  const connection = await connectRaw(scene.test.url);
  const model = `${models[one.upstream]}:${script}`;
  const messages = [{ role: "user", content: "Hi" }];
  const body = JSON.stringify({ model, stream: one.stream, max_tokens: 1_000_000, messages });
  connection.write(`${scene.headOf(one.caller, agent, body.length)}\r\n${body}`);
  return connection;
}

testLines(slowCallerLines, {
  async "never reads"(one) {
    let hangUp = (): void => undefined;
    const script = "tokens=200000";
    const asked = scene.ask({ ...one, script, readNothing: true, onStart: (act) => (hangUp = act) });
    const booked = await assertBooked(scene.books, asked, one.outcome);
    assert.ok(
      booked !== null && booked.row.bytes_out < WRITTEN_BYTES_MAX,
      `${booked?.row.bytes_out} bytes were written`,
    );
    const line = scene.test.simulator.invoice().at(-1);
    assert.equal(line?.clientRequestId, booked.entry?.attempt_id);
    assert.ok((line?.output ?? 0) < 150_000, `${line?.output} of 200,000 tokens were generated`);
    hangUp();
    await asked.reply;
  },

  async "reads slowly"(one) {
    await using scene = await openScene({ timeouts: { idleMs: SLOW_IDLE_MS } });
    const agent = scene.nextAgent();
    using connection = await askRaw(scene, one, agent, `tokens=${TOKENS}`);
    connection.socket.removeAllListeners("data");
    const reader = new SlowReader(connection.socket);
    const startedMs = performance.now();
    await eventually("it has read for a while", () => performance.now() - startedMs > 2 * SLOW_IDLE_MS);
    reader.isHurried = true;
    await eventually(
      "the end",
      () => reader.tail.endsWith(`${speeches[one.caller].terminal}\r\n0\r\n\r\n`),
      PATIENCE_MS,
    );
    assert.ok(reader.bytes > TOKENS * 50, `${reader.bytes} bytes`);
    await assertBooked(scene.books, { model: agent, agent }, one.outcome);
    await scene.assertBooks();
  },

  /** Many, and others are served meanwhile. */
  async "sends its head slowly"(one) {
    await using scene = await openScene({ server: { headerTimeoutMs: HEADER_MS } });
    const lorises = await Promise.all(Array.from({ length: LORISES }, () => beginSlowly(scene.test.url)));
    assert.equal((await send(`${scene.test.url}/healthz`)).status, 200);
    await scene.check(scene.ask({}), { outcome: answered(), stream: false, caller: "openai-chat" });
    await eventually("every slow caller is answered", () => lorises.every(({ received }) => received().length > 0));
    const lines = scene.test.simulator.invoice().length;
    for (const loris of lorises) {
      loris.stop();
      const reply = await loris.read();
      assert.equal(reply?.status, one.outcome.status);
      assert.equal(reply.headers["x-headgate-error-code"], one.outcome.code);
      await loris.closed;
      loris[Symbol.dispose]();
    }
    const rows = scene.test.gateway.store.db.selectFrom("requests").selectAll().where("status", "=", 408);
    const refused = await eventually("their records", async () => {
      const found = await rows.execute();
      return found.length === LORISES && found;
    });
    for (const row of refused) assertRecord(row, one.outcome);
    assert.equal(scene.test.simulator.invoice().length, lines, "no provider was called for them");
    await scene.assertBooks();
  },

  /** And does not hold a place among `limits.concurrentRequests` for longer. */
  async "sends its body slowly"(one) {
    await using scene = await openScene({ server: { bodyTimeoutMs: HEADER_MS }, limits: { concurrentRequests: 1 } });
    const agent = scene.nextAgent();
    using connection = await connectRaw(scene.test.url);
    connection.write(`${scene.headOf(one.caller, agent, 100)}\r\n{`);
    await scene.check({ model: agent, agent, reply: connection.read().then(replyOf) }, one);
    await scene.check(scene.ask({ ...one }), { ...one, outcome: answered() });
    await scene.assertBooks();
  },
});

test("callers who do not read leave the books in order", () => scene.assertBooks());

/** A few kilobytes that unpack to 40 MB of events. */
function compressedStream(): Buffer {
  const delta = `{"choices":[{"index":0,"delta":{"content":"${"water ".repeat(160)}"}}]}`;
  return gzipSync(`data: ${delta}\n\n`.repeat(40_000));
}

test(besides.slowCompressed, async () => {
  const body = compressedStream();
  await using upstream = await startUpstream((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" }).end(body);
  });
  upstream.serveAs(scene.test.gateway, "compressing");
  let hangUp = (): void => undefined;
  const ask = { provider: "compressing", stream: true, readNothing: true };
  const asked = scene.ask({ ...ask, onStart: (act) => (hangUp = act) });
  const row = await eventually("a record", () => recordsOf(scene.books, asked).executeTakeFirst());
  assertRecord(row, callerGone(200, "estimate"));
  assert.ok(row.bytes_out < WRITTEN_BYTES_MAX, `${row.bytes_out} bytes were written`);
  hangUp();
  await asked.reply;
});

test(besides.slowWholeReader, async () => {
  const text = "x".repeat(33_554_432);
  const choices = [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }];
  const answer = { id: "a", object: "chat.completion", model: "m", choices };
  await using upstream = await startUpstream((_, response) => response.end(JSON.stringify(answer)));
  upstream.serveAs(scene.test.gateway, "large");
  using connection = await connectRaw(scene.test.url);
  connection.socket.pause();
  const body = JSON.stringify({ model: "large/m", messages: [{ role: "user", content: "Hi" }] });
  const startedMs = performance.now();
  connection.write(`${scene.headOf("openai-chat", scene.nextAgent(), body.length)}\r\n${body}`);
  let closed = false;
  void connection.closed.then(() => (closed = true));
  let knockedMs = startedMs;
  await eventually("the gateway hangs up", () => {
    // Who does not read learns of a closed connection by writing; anything written is a sign of life, too.
    if (performance.now() - knockedMs > 2 * IDLE_MS) {
      knockedMs = performance.now();
      connection.write("\r\n");
    }
    return closed;
  });
  assert.ok(performance.now() - startedMs > IDLE_MS, "not before the caller had its time");
});

test(besides.idleConnections, async () => {
  await using scene = await openScene({ server: { keepAliveTimeoutMs: 100 } });
  using connection = await connectRaw(scene.test.url);
  connection.write("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
  assert.equal((await connection.read())?.status, 200);
  await connection.closed;
});
