import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openDatabase } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { newestRow } from "../support/evidence.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import { send } from "../support/simulator-client.ts";
import { models, replyOf } from "./asker.ts";
import { assertBooked, assertCase, assertCases, type Asked, type Books } from "./books.ts";
import { besides } from "./lines/besides.ts";
import type { Case } from "./lines/line.ts";
import { stoppingLines } from "./lines/stopping.ts";
import { answered, callerGone } from "./outcome.ts";
import { openScene, type Scene } from "./scene.ts";
import { speeches } from "./speech.ts";
import { upstreams } from "./table.ts";
import { testLines, together } from "./test-lines.ts";

/** What the store says once the gateway is gone. */
function booksAfter({ test: { dataDir, simulator } }: Scene): Books & AsyncDisposable {
  const db = openDatabase({ dataDir, durability: "process" });
  return { db, journalDb: db, simulator, [Symbol.asyncDispose]: () => db.destroy() };
}

/** All of what was asked, by the books of the gateway that was stopped. */
async function checkAfter(
  scene: Scene,
  all: readonly Case[],
  asked: readonly Asked[],
): Promise<readonly PromiseSettledResult<unknown>[]> {
  await using books = booksAfter(scene);
  const verdicts = await assertCases(books, asked, all);
  assert.deepEqual(await books.db.selectFrom("holds").select("attempt_id").execute(), [], "nothing stays held");
  return verdicts;
}

/** Asks all, for streams that go on for seconds; resolves when each caller has seen something of its own. */
async function beginAll(scene: Scene, all: readonly Case[], script: string): Promise<readonly Asked[]> {
  const begun = new Set<Case>();
  const asked = all.map((one) =>
    scene.ask({
      ...one,
      script,
      onChunk: (received) => void (received.includes(speeches[one.caller].begun) && begun.add(one)),
    }),
  );
  await eventually("all streams have begun", () => begun.size === all.length);
  return asked;
}

testLines(stoppingLines, {
  "stopped waiting": together(async (all) => {
    await using scene = await openScene();
    const asked = all.map((one) => scene.ask({ ...one, script: "ttft=50000" }));
    await scene.whenCalled(all.length);
    await scene.test.gateway.stop(0);
    return await checkAfter(scene, all, asked);
  }),

  "stopped in stream": together(async (all) => {
    await using scene = await openScene();
    const { gateway, simulator, url } = scene.test;
    const asked = await beginAll(scene, all, "tokens=1000,rate=100");
    await gateway.stop(50);
    const verdicts = await checkAfter(scene, all, asked);
    assert.equal(simulator.stats().cancelled, all.length, "the providers were told");
    assert.equal((await send(`${url}/healthz`)).errorCode, "ECONNREFUSED");
    return verdicts;
  }),

  /** A body may take 60 s, and is not waited for. */
  "stopped in body": together(async (all) => {
    await using scene = await openScene();
    const asked = await Promise.all(all.map((one) => beginBody(scene, one)));
    const startedMs = performance.now();
    await scene.test.gateway.stop(0);
    assert.ok(performance.now() - startedMs < 5_000);
    return await checkAfter(scene, all, asked);
  }),
});

/** Resolves when the gateway waits for the body. */
async function beginBody(scene: Scene, { caller }: Case): Promise<Asked> {
  const agent = scene.nextAgent();
  const connection = await connectRaw(scene.test.url);
  connection.write(`${scene.headOf(caller, agent, 100)}expect: 100-continue\r\n\r\n`);
  const reply = connection.read().then(replyOf);
  await eventually("the body is waited for", () => connection.interim.includes(100));
  return { model: agent, agent, reply };
}

describe("a stream that can finish in time", () => {
  for (const upstream of upstreams) {
    test(`of ${upstream}: ${besides.finishing}`, async () => {
      await using scene = await openScene();
      const asked = scene.ask({ upstream, stream: true, script: "tokens=20,rate=100" });
      await scene.whenCalled();
      await scene.test.gateway.stop(5_000);
      await using books = booksAfter(scene);
      await assertCase(books, asked, { outcome: answered(), stream: true, caller: "openai-chat" });
    });
  }
});

test(besides.lateRequest, async () => {
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
  assert.match((await streaming.reply).text, /data: \[DONE\]\n\n$/);
});

const withHugeAnswers = { timeouts: { idleMs: 60_000 }, limits: { responseBytes: 67_108_864 } };

/** A caller whose answer of 20 MB is recorded and waits in the gateway. */
async function askAndReadNothing(scene: Scene): Promise<RawConnection> {
  const connection = await connectRaw(scene.test.url);
  connection.socket.pause();
  const model = `${models["openai-chat"]}:fault=huge-body:20`;
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
  connection.write(`${scene.headOf("openai-chat", scene.nextAgent(), body.length)}\r\n${body}`);
  await newestRow(scene.test.gateway, 1);
  return connection;
}

test(besides.lateReader, async () => {
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

test(besides.readsNothingAtStop, async () => {
  await using scene = await openScene(withHugeAnswers);
  using connection = await askAndReadNothing(scene);
  const startedMs = performance.now();
  await scene.test.gateway.stop(50);
  assert.ok(performance.now() - startedMs < 10_000, "silence may take 60 s");
  connection.socket.resume();
  assert.notEqual((await connection.read())?.complete, true);
});

test(besides.idleAtStop, async () => {
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
  const { headers, complete } = await streaming.reply;
  assert.deepEqual([headers.connection, complete], ["close", true]);
  await stopped;
  await waiting.closed;
});

test(besides.drainAtStop, async () => {
  await using scene = await openScene();
  const { gateway, simulator } = scene.test;
  scene.provide("draining", "openai-chat", { callerGone: "drain", drainMs: 60_000 });
  let leave = (): void => undefined;
  let received: Buffer = Buffer.alloc(0);
  const asked = scene.ask({
    provider: "draining",
    stream: true,
    script: "tokens=6000,rate=100",
    onStart: (act) => (leave = act),
    onChunk: (bytes) => (received = bytes),
  });
  await eventually("the stream has begun", () => received.includes(speeches["openai-chat"].begun));
  leave();
  await asked.reply;
  const startedMs = performance.now();
  await gateway.stop(0);
  assert.ok(performance.now() - startedMs < 10_000, "a drain may take 60 s");
  assert.equal(simulator.stats().cancelled, 1);
  await using books = booksAfter(scene);
  await assertBooked(books, asked, callerGone(200, "estimate"));
});
