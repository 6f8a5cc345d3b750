import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withProvider } from "../../src/config/defaults.ts";
import { openDatabase } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { newestRow, type RequestRow } from "../support/evidence.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import { eventData, send, type Reply } from "../support/simulator-client.ts";
import { furtherFaults, type FurtherName } from "./further.ts";
import { models, openScene, upstreams, type Scene } from "./scene.ts";

/** What the store says once the gateway is gone: the record, whether it was charged, and what is still held. */
async function afterwards({ test: { dataDir } }: Scene): Promise<{ row: RequestRow; charges: number; holds: number }> {
  const db = openDatabase({ dataDir, durability: "process" });
  const row = await db.selectFrom("requests").selectAll().orderBy("request_id", "desc").executeTakeFirstOrThrow();
  const charges = await db
    .selectFrom("ledger_entries")
    .select("basis")
    .where("request_id", "=", row.request_id)
    .execute();
  const holds = await db.selectFrom("holds").select("attempt_id").execute();
  await db.destroy();
  return { row, charges: charges.length, holds: holds.length };
}

function assertRecorded(row: RequestRow, fault: FurtherName): void {
  const { ending, code, status, attempts } = furtherFaults[fault].outcome;
  assert.deepEqual([row.ending, row.error_code, row.status, row.attempts], [ending, code, status, attempts]);
}

function lastEvent(reply: Reply): { error?: { code: string } } {
  return JSON.parse(eventData(reply.text).at(-1) ?? "null");
}

const withHugeAnswers = { timeouts: { idleMs: 60_000 }, limits: { responseBytes: 67_108_864 } };

/** A caller whose answer of 20 MB is recorded and waits in the gateway. */
async function askAndReadNothing({ test: { gateway, key, url } }: Scene): Promise<RawConnection> {
  const connection = await connectRaw(url);
  connection.socket.pause();
  const model = `${models["openai-chat"]}:fault=huge-body:20`;
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
  const head = `host: test\r\nauthorization: Bearer ${key}\r\ncontent-length: ${body.length}`;
  connection.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  await newestRow(gateway, 1);
  return connection;
}

describe("a gateway that is stopped", () => {
  for (const upstream of upstreams) {
    test(`ends streams still open after the grace period with an error event, settled (${upstream})`, async () => {
      await using scene = await openScene();
      const { gateway, simulator, url } = scene.test;
      let received: Buffer = Buffer.alloc(0);
      const onChunk = (bytes: Buffer): void => void (received = bytes);
      const reply = scene.ask({ upstream, stream: true, script: "tokens=1000,rate=100", onChunk });
      await eventually("the stream has begun", () => received.includes('"content":"'));
      await gateway.stop(50);
      const { text, complete, status } = await reply;
      assert.deepEqual([status, complete], [200, true]);
      assert.equal(lastEvent(await reply).error?.code, "shutting_down");
      assert.doesNotMatch(text, /\[DONE\]/);
      assert.equal(simulator.stats().cancelled, 1, "the provider was told");
      const { row, charges, holds } = await afterwards(scene);
      assertRecorded(row, "stopped in stream");
      assert.ok(row.cost_nano_usd > 0n && row.output_tokens > 0);
      assert.deepEqual([charges, holds], [1, 0]);
      assert.equal((await send(`${url}/healthz`)).errorCode, "ECONNREFUSED");
    });

    test(`lets streams finish that can within the grace period (${upstream})`, async () => {
      await using scene = await openScene();
      const reply = scene.ask({ upstream, stream: true, script: "tokens=20,rate=100" });
      await scene.whenCalled();
      await scene.test.gateway.stop(5_000);
      const { text, complete } = await reply;
      assert.equal(complete, true);
      assert.match(text, /data: \[DONE\]\n\n$/);
      const { row, holds } = await afterwards(scene);
      assert.deepEqual([row.ending, row.basis, holds], ["complete", "reported", 0]);
    });
  }

  test("answers 503 to a caller whose answer had not begun", async () => {
    await using scene = await openScene({ timeouts: { firstTokenMs: 60_000 } });
    const reply = scene.ask({ script: "ttft=50000" });
    await scene.whenCalled();
    await scene.test.gateway.stop(0);
    const { status, text, headers } = await reply;
    assert.deepEqual([status, JSON.parse(text).error.code, headers["retry-after"]], [503, "shutting_down", "1"]);
    const { row, charges, holds } = await afterwards(scene);
    assertRecorded(row, "stopped waiting");
    assert.ok(row.cost_nano_usd > 0n && row.output_tokens === 0);
    assert.deepEqual([charges, holds], [1, 0]);
  });

  test("does not wait for a body that is still arriving", async () => {
    await using scene = await openScene();
    using connection = await connectRaw(scene.test.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\n`;
    connection.write(`${head}expect: 100-continue\r\ncontent-length: 100\r\n\r\n`);
    const answer = connection.read();
    await eventually("the body is waited for", () => connection.interim.includes(100));
    const startedMs = performance.now();
    await scene.test.gateway.stop(0);
    assert.ok(performance.now() - startedMs < 5_000, "the time that a body may take is 60 s");
    const response = await answer;
    assert.equal(response?.status, 503);
    const { row } = await afterwards(scene);
    assertRecorded(row, "stopped in body");
    assert.equal(row.cost_nano_usd, 0n);
  });

  test("refuses what comes on open connections while others finish", async () => {
    await using scene = await openScene();
    const { gateway, key, url } = scene.test;
    using connection = await connectRaw(url);
    connection.write(`GET /v1/models HTTP/1.1\r\nhost: test\r\n`);
    const streaming = scene.ask({ stream: true, script: "tokens=30,rate=100" });
    await scene.whenCalled();
    const stopped = gateway.stop(5_000);
    connection.write(`authorization: Bearer ${key}\r\n\r\n`);
    const response = await connection.read();
    assert.ok(response);
    const { error } = JSON.parse(response.body.toString("utf8"));
    assert.deepEqual([response.status, error.code, response.headers["retry-after"]], [503, "shutting_down", "1"]);
    await stopped;
    assert.match((await streaming).text, /data: \[DONE\]\n\n$/);
  });

  test("delivers an answer that waits for a slow reader, and closes its connection", async () => {
    await using scene = await openScene(withHugeAnswers);
    using connection = await askAndReadNothing(scene);
    const stopped = scene.test.gateway.stop(20_000);
    const answer = connection.read();
    connection.socket.resume();
    const response = await answer;
    assert.deepEqual([response?.status, response?.complete], [200, true]);
    assert.ok((response?.body.byteLength ?? 0) >= 20_000_000);
    await connection.closed;
    await stopped;
  });

  test("closes idle connections at once, and those in use after their answer", async () => {
    await using scene = await openScene();
    const { gateway, url } = scene.test;
    using idle = await connectRaw(url);
    idle.write("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    assert.equal((await idle.read())?.headers["connection"], "keep-alive");
    const streaming = scene.ask({ stream: true, script: "ttft=200" });
    await scene.whenCalled();
    using waiting = await connectRaw(url);
    const stopped = gateway.stop(20_000);
    await idle.closed;
    const { headers, complete } = await streaming;
    assert.deepEqual([headers.connection, complete], ["close", true]);
    await stopped;
    await waiting.closed;
  });

  test("cuts off a caller who reads nothing, a moment after the grace period", async () => {
    await using scene = await openScene(withHugeAnswers);
    using connection = await askAndReadNothing(scene);
    const startedMs = performance.now();
    await scene.test.gateway.stop(50);
    assert.ok(performance.now() - startedMs < 10_000, "silence may take 60 s");
    connection.socket.resume();
    assert.notEqual((await connection.read())?.complete, true);
  });

  test("does not wait for the tail of a stream whose caller has left", async () => {
    await using scene = await openScene();
    const { gateway, simulator } = scene.test;
    const provider = gateway.config.providers["simulator"];
    assert.ok(provider);
    const draining = { ...provider, callerGone: "drain" as const, drainMs: 60_000 };
    gateway.replaceConfig(withProvider(gateway.config, "draining", draining));
    let leave = (): void => undefined;
    let received: Buffer = Buffer.alloc(0);
    const reply = scene.ask({
      model: "draining/sim-chat:tokens=6000,rate=100",
      stream: true,
      onStart: (act) => (leave = act),
      onChunk: (bytes) => (received = bytes),
    });
    await eventually("the stream has begun", () => received.includes('"content":"'));
    leave();
    await reply;
    const startedMs = performance.now();
    await gateway.stop(0);
    assert.ok(performance.now() - startedMs < 10_000, "a drain may take 60 s");
    assert.equal(simulator.stats().cancelled, 1);
    const { row, charges, holds } = await afterwards(scene);
    assert.deepEqual([row.ending, charges, holds], ["caller-gone", 1, 0]);
  });
});
