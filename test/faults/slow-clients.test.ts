import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import { send } from "../support/simulator-client.ts";
import { answered } from "./outcome.ts";
import { openScene, type Scene } from "./scene.ts";

const HEADER_MS = 300;
const LORISES = 60;
/** At a time. */
const READ_BYTES = 2_097_152;
const PAUSE_MS = 150;
const IDLE_MS = 1_000;
/** Of 300 bytes each: more than the sockets of one machine take before a writer has to wait. */
const TOKENS = 200_000;

/** A request whose head comes letter by letter, and never wholly. */
async function beginSlowly(url: string): Promise<RawConnection & { stop(): void }> {
  const connection = await connectRaw(url);
  connection.write("POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nx-padding: ");
  const drip = setInterval(() => connection.write("x"), 50);
  return { ...connection, stop: () => clearInterval(drip) };
}

async function isClosed(connection: RawConnection): Promise<boolean> {
  return Promise.race([connection.closed.then(() => true), nextTurn(false)]);
}

/** Of the data plane: how it is asked whether it is alive. */
async function assertAlive(scene: Scene): Promise<void> {
  assert.equal((await send(`${scene.test.url}/healthz`)).status, 200);
}

describe("callers who send slowly (slow loris)", () => {
  test("are hung up on after `server.headerTimeoutMs`, all of them, and others are served meanwhile", async () => {
    await using scene = await openScene({ server: { headerTimeoutMs: HEADER_MS } });
    const lorises = await Promise.all(Array.from({ length: LORISES }, () => beginSlowly(scene.test.url)));
    await assertAlive(scene);
    await scene.assertOutcome(await scene.ask({}), answered(), false);
    await eventually("every slow caller is answered", () => lorises.every(({ received }) => received().length > 0));
    for (const loris of lorises) {
      loris.stop();
      assert.match(loris.received().toString("latin1"), /^HTTP\/1\.1 408 /);
      await loris.closed;
      loris[Symbol.dispose]();
    }
    assert.deepEqual(scene.test.simulator.invoice(), [], "no provider was called for them");
    await scene.assertOutcome(await scene.ask({}), answered(), false);
  });

  test("of bodies do not hold places among `limits.concurrentRequests` for longer than `server.bodyTimeoutMs`", async () => {
    await using scene = await openScene({ server: { bodyTimeoutMs: HEADER_MS }, limits: { concurrentRequests: 2 } });
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${scene.test.key}\r\ncontent-length: 100\r\n\r\n`;
    const slow = await Promise.all([connectRaw(scene.test.url), connectRaw(scene.test.url)]);
    for (const connection of slow) connection.write(`${head}{`);
    for (const connection of slow) {
      assert.equal((await connection.read())?.status, 408);
      connection[Symbol.dispose]();
    }
    await scene.assertOutcome(await scene.ask({}), answered(), false);
  });
});

describe("connections beyond `limits.connections`", () => {
  test("are closed at once, and there is room again when one is closed", async () => {
    await using scene = await openScene({ limits: { connections: 3 } });
    const idle = await Promise.all(Array.from({ length: 3 }, () => connectRaw(scene.test.url)));
    using refused = await connectRaw(scene.test.url);
    await refused.closed;
    assert.equal(refused.received().length, 0);
    for (const connection of idle) assert.equal(await isClosed(connection), false);
    idle[0]?.[Symbol.dispose]();
    await eventually("there is room", async () => (await send(`${scene.test.url}/healthz`)).status === 200);
    for (const connection of idle) connection[Symbol.dispose]();
  });

  test("that are idle are closed after `server.keepAliveTimeoutMs`", async () => {
    await using scene = await openScene({ server: { keepAliveTimeoutMs: 100 } });
    using connection = await connectRaw(scene.test.url);
    connection.write("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    assert.equal((await connection.read())?.status, 200);
    await connection.closed;
  });
});

/** Reads so much at a time, then nothing for a moment that is shorter than a reader may take; counts, and keeps the end. */
class SlowReader {
  bytes = 0;
  tail = "";
  isHurried = false;

  constructor(socket: Socket) {
    let restedAtBytes = 0;
    socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.tail = (this.tail + chunk.subarray(-64).toString("latin1")).slice(-64);
      if (this.isHurried || this.bytes - restedAtBytes < READ_BYTES) return;
      restedAtBytes = this.bytes;
      socket.pause();
      setTimeout(() => socket.resume(), PAUSE_MS);
    });
  }
}

describe("a caller who reads slowly, but reads", () => {
  test("gets the whole stream, although it takes much longer than `timeouts.idleMs`", async () => {
    await using scene = await openScene({ timeouts: { firstTokenMs: 5_000, idleMs: IDLE_MS } });
    using connection = await connectRaw(scene.test.url);
    const { socket } = connection;
    socket.removeAllListeners("data");
    const reader = new SlowReader(socket);
    const model = `simulator/sim-chat:tokens=${TOKENS}`;
    const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Hi" }] });
    const head = `host: test\r\nauthorization: Bearer ${scene.test.key}\r\ncontent-length: ${body.length}`;
    connection.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`);
    const startedMs = performance.now();
    await eventually("it has read for a while", () => performance.now() - startedMs > 2 * IDLE_MS);
    assert.equal(scene.test.simulator.stats().running, 1, "the provider is paused meanwhile");
    reader.isHurried = true;
    await eventually("the end", () => reader.tail.endsWith("data: [DONE]\n\n\r\n0\r\n\r\n"));
    assert.ok(reader.bytes > TOKENS * 250, `${reader.bytes} bytes`);
  });
});
