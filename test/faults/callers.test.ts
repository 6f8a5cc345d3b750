import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { after, before, beforeEach, describe, test } from "node:test";
import { withProvider } from "../../src/config/defaults.ts";
import { eventually } from "../support/eventually.ts";
import { countRecords, newestRow } from "../support/evidence.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import type { Reply } from "../support/simulator-client.ts";
import { furtherFaults, type FurtherName } from "./further.ts";
import { models, openScene, upstreams, type Ask, type Scene } from "./scene.ts";
import { startUpstream } from "./upstream-server.ts";

/** Most that may pass between a caller's leaving and the provider's noticing. */
const CANCELLED_WITHIN_MS = 100;
const IDLE_MS = 400;
/** What the sockets of one machine take before a writer has to wait, and the gateway's own buffer. */
const WRITTEN_BYTES_MAX = 16_000_000;

let scene: Scene;
before(async () => {
  scene = await openScene({
    timeouts: { firstTokenMs: 5_000, idleMs: IDLE_MS },
    limits: { responseBytes: 67_108_864 },
  });
  const { gateway } = scene.test;
  for (const name of ["simulator", "simulator-anthropic"]) {
    const provider = gateway.config.providers[name];
    assert.ok(provider);
    gateway.replaceConfig(
      withProvider(gateway.config, `draining-${name}`, { ...provider, callerGone: "drain", drainMs: 2_000 }),
    );
  }
});
beforeEach(() => scene.test.simulator.reset());
after(() => scene[Symbol.asyncDispose]());

interface Leaving {
  readonly reply: Reply;
  /** From the leaving to the moment the provider had noticed. */
  readonly noticedAfterMs: number;
}

/** Asks, leaves when the provider is at work and `ready` says so, and waits until the provider is done. */
async function leave(ask: Ask, ready: (received: Buffer) => boolean = () => true): Promise<Leaving> {
  const { simulator } = scene.test;
  let received: Buffer = Buffer.alloc(0);
  let hangUp = (): void => undefined;
  const reply = scene.ask({
    ...ask,
    onStart: (act) => (hangUp = act),
    onChunk: (bytes) => (received = bytes),
  });
  await eventually("the moment to leave", () => simulator.stats().running === 1 && ready(received));
  const leftAtMs = performance.now();
  hangUp();
  await eventually("the provider is done", () => simulator.stats().running === 0);
  return { noticedAfterMs: performance.now() - leftAtMs, reply: await reply };
}

async function assertCancelled(leaving: Leaving, fault: FurtherName, stream: boolean): Promise<void> {
  assert.equal(scene.test.simulator.stats().cancelled, 1, "the provider was told");
  assert.ok(leaving.noticedAfterMs < CANCELLED_WITHIN_MS, `noticed after ${Math.round(leaving.noticedAfterMs)} ms`);
  await scene.assertOutcome(leaving.reply, furtherFaults[fault].outcome, stream);
}

const begun = (received: Buffer): boolean => received.includes('"content":"');

for (const upstream of upstreams) {
  describe(`a caller who leaves, with ${upstream} upstream,`, () => {
    for (const stream of [false, true]) {
      const what = stream ? "the first token" : "a whole answer";
      test(`while waiting for ${what} cancels the provider at once and pays for the input`, async () => {
        const leaving = await leave({ upstream, stream, script: "ttft=4000" });
        await assertCancelled(leaving, "gone waiting", stream);
      });
    }

    test("in mid-stream cancels the provider at once and pays for what was generated until then", async () => {
      const leaving = await leave({ upstream, stream: true, script: "tokens=1000,rate=200" }, begun);
      await assertCancelled(leaving, "gone in stream", true);
    });

    test("in mid-stream is charged exactly where the rest is drained", async () => {
      const model = `draining-${models[upstream]}:tokens=60,input=7,rate=400`;
      const { reply } = await leave({ model, stream: true }, begun);
      assert.equal(scene.test.simulator.stats().complete, 1, "the provider finished");
      await scene.assertOutcome(reply, furtherFaults["gone in stream, drained"].outcome, true);
    });

    test("while waiting for a whole answer is charged exactly where the rest is drained", async () => {
      const model = `draining-${models[upstream]}:tokens=20,input=7,ttft=100`;
      const { reply } = await leave({ model });
      await scene.assertOutcome(reply, furtherFaults["gone waiting, drained"].outcome, false);
    });

    test("from a provider that ignores it does not keep the gateway waiting", async () => {
      const script = "tokens=100,rate=200,fault=ignore-cancellation";
      const { reply } = await leave({ upstream, stream: true, script }, begun);
      assert.equal(scene.test.simulator.invoice()[0]?.output, 100, "the provider went on");
      const { row } = await scene.assertOutcome(reply, furtherFaults["gone in stream"].outcome, true);
      assert.ok(row.total_us < 300_000, `the request took ${row.total_us} µs`);
    });
  });
}

describe("a drain that takes too long", () => {
  test("is ended after drainMs and charged by our count", async () => {
    const { gateway, simulator } = scene.test;
    const provider = gateway.config.providers["draining-simulator"];
    assert.ok(provider);
    gateway.replaceConfig(withProvider(gateway.config, "impatient", { ...provider, drainMs: 50 }));
    const { reply } = await leave({ model: "impatient/sim-chat:tokens=5000,rate=200", stream: true }, begun);
    assert.equal(simulator.stats().cancelled, 1);
    await scene.assertOutcome(reply, furtherFaults["gone in stream"].outcome, true);
  });
});

function head(length: number): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\ncontent-length: ${length}\r\n\r\n`;
}

describe("a caller who leaves before the request is complete", () => {
  for (const [what, bytes] of [
    ["before the body", () => head(100)],
    ["in the middle of the body", () => `${head(100)}{"model":`],
  ] as const) {
    test(`${what} costs nothing, and has a record`, async () => {
      const count = (await countRecords(scene.test.gateway)) + 1;
      const connection = await connectRaw(scene.test.url);
      connection.write(bytes());
      connection.socket.end(() => connection.socket.destroy());
      const row = await newestRow(scene.test.gateway, count);
      const { status, ending, code, attempts } = furtherFaults["gone before body"].outcome;
      assert.deepEqual(
        [row.status, row.ending, row.error_code, row.attempts, row.cost_nano_usd],
        [status, ending, code, attempts, 0n],
      );
      assert.deepEqual(scene.test.simulator.invoice(), []);
    });
  }
});

/** A few kilobytes that unpack to 40 MB of events. */
function compressedStream(): Buffer {
  const delta = `{"choices":[{"index":0,"delta":{"content":"${"water ".repeat(160)}"}}]}`;
  return gzipSync(`data: ${delta}\n\n`.repeat(40_000));
}

describe("a caller who never reads", () => {
  test("a stream pauses the provider, takes bounded memory, and is given up as gone", async () => {
    let hangUp = (): void => undefined;
    const script = "tokens=200000";
    const reply = scene.ask({ stream: true, script, readNothing: true, onStart: (act) => (hangUp = act) });
    const row = await newestRow(scene.test.gateway, (await countRecords(scene.test.gateway)) + 1);
    assert.ok(row.bytes_out < WRITTEN_BYTES_MAX, `${row.bytes_out} bytes were written`);
    const output = scene.test.simulator.invoice()[0]?.output ?? 0;
    assert.ok(output < 150_000, `${output} of 200,000 tokens were generated`);
    hangUp();
    await scene.assertOutcome(await reply, furtherFaults["never reads"].outcome, true);
  });

  test("a compressed stream does not let it unpack in memory", async () => {
    const body = compressedStream();
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" }).end(body);
    });
    upstream.serveAs(scene.test.gateway, "compressing");
    let hangUp = (): void => undefined;
    const ask = { model: "compressing/m", stream: true, readNothing: true };
    const reply = scene.ask({ ...ask, onStart: (act) => (hangUp = act) });
    const row = await newestRow(scene.test.gateway, (await countRecords(scene.test.gateway)) + 1);
    assert.deepEqual([row.ending, row.error_code, row.status], ["caller-gone", "client_closed", 200]);
    assert.ok(row.bytes_out < WRITTEN_BYTES_MAX, `${row.bytes_out} bytes were written`);
    hangUp();
    await reply;
  });

  test("a whole answer is hung up on, so that it does not stay in memory", async () => {
    const text = "x".repeat(33_554_432);
    const answer = {
      id: "a",
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    };
    await using upstream = await startUpstream((_, response) => response.end(JSON.stringify(answer)));
    upstream.serveAs(scene.test.gateway, "large");
    using connection: RawConnection = await connectRaw(scene.test.url);
    connection.socket.pause();
    const body = JSON.stringify({ model: "large/m", messages: [{ role: "user", content: "Hi" }] });
    const startedMs = performance.now();
    connection.write(head(body.length) + body);
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
});
