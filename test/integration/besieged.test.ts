/** Two hundred callers at once who send slowly or read nothing, beside ordinary ones: these are served, and memory stays bounded. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { defaultProvider } from "../../src/config/defaults.ts";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import { send } from "../support/simulator-client.ts";

const SLOW_HEADS = 100;
const SLOW_BODIES = 84;
/** Each fills the buffers of its sockets, which are the system's, with some megabytes. */
const NEVER_READING = 16;
const ORDINARY = 100;
const ORDINARY_AT_A_TIME = 10;
/** Each slow body announces as much, and brings half of it. */
const BODY_BYTES = 100_000;
const STREAM_BUFFER_BYTES = 65_536;
/** Nobody is hung up on during the test. */
const PATIENCE_MS = 60_000;
/** Parsers, sockets, objects: of each connection. */
const CONNECTION_BYTES = 100_000;

const collectGarbage = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** Of objects and buffers, once nothing is held that need not be. */
function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const delta = { choices: [{ index: 0, delta: { content: "water ".repeat(500) }, finish_reason: null }] };
const event = Buffer.from(`data: ${JSON.stringify({ id: "a", object: "chat.completion.chunk", ...delta })}\n\n`);

/** A provider's stream that does not end, as fast as it is taken; `stalled` is told whether it waits for that. */
function streamForever(response: ServerResponse, stalled: (waits: boolean) => void): void {
  response.setHeader("content-type", "text/event-stream");
  const go = (): void => {
    stalled(false);
    for (let sent = 0; sent < 10 && !response.destroyed; sent++) {
      if (response.write(event)) continue;
      stalled(true);
      response.once("drain", go);
      return;
    }
    if (!response.destroyed) setImmediate(go);
  };
  go();
}

function headOf({ key }: TestGateway, length: number): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${key}\r\ncontent-length: ${length}\r\n`;
}

async function sendSlowly({ url }: TestGateway, beginning: string): Promise<RawConnection> {
  const connection = await connectRaw(url);
  connection.write(beginning);
  return connection;
}

async function readNothing(place: TestGateway): Promise<RawConnection> {
  const body = JSON.stringify({ model: "endless/m", stream: true, messages: [{ role: "user", content: "Hi" }] });
  const connection = await connectRaw(place.url);
  connection.socket.pause();
  connection.write(`${headOf(place, body.length)}\r\n${body}`);
  return connection;
}

async function askAsUsual({ url, key }: TestGateway, request: number): Promise<void> {
  const stream = request % 2 === 0;
  const reply = await send(`${url}/v1/chat/completions`, {
    body: { model: "simulator/sim-chat:tokens=20", stream, messages: [{ role: "user", content: "Hi" }] },
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(reply.status, 200, reply.text);
  assert.match(reply.text, stream ? /data: \[DONE\]\n\n$/ : /"finish_reason":"stop"/);
}

async function serveOrdinary(place: TestGateway): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < ORDINARY) await askAsUsual(place, next++);
  };
  await Promise.all(Array.from({ length: ORDINARY_AT_A_TIME }, caller));
}

test("callers who take their time cost little memory and nobody else's answers, and leave nothing behind", async () => {
  const waiting = new Set<ServerResponse>();
  await using provider = await startLocalServer((request, response) => {
    request.resume();
    streamForever(response, (waits) => (waits ? waiting.add(response) : waiting.delete(response)));
  });
  const endless = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1` });
  await using place = await startTestGateway({
    config: {
      server: { headerTimeoutMs: PATIENCE_MS, bodyTimeoutMs: PATIENCE_MS },
      timeouts: { idleMs: PATIENCE_MS },
      limits: { streamBufferBytes: STREAM_BUFFER_BYTES },
      providers: { endless },
    },
  });
  const { gateway } = place;
  await serveOrdinary(place);
  const beforeBytes = memoryBytes();
  await using opened = new AsyncDisposableStack();
  const besiege = async (count: number, begin: () => Promise<RawConnection>): Promise<void> => {
    for (const connection of await Promise.all(Array.from({ length: count }, begin))) opened.use(connection);
  };
  await besiege(SLOW_HEADS, () => sendSlowly(place, "POST /v1/chat/completions HTTP/1.1\r\nx-slow: "));
  await besiege(SLOW_BODIES, () => sendSlowly(place, `${headOf(place, BODY_BYTES)}\r\n${"x".repeat(BODY_BYTES / 2)}`));
  await besiege(NEVER_READING, () => readNothing(place));
  await eventually("every stream is held up", () => waiting.size === NEVER_READING, PATIENCE_MS / 2);
  await serveOrdinary(place);
  assert.equal((await send(`${place.url}/healthz`)).status, 200);
  assert.equal(gateway.standing().requests, SLOW_BODIES + NEVER_READING, "they are there all the time");

  const connections = SLOW_HEADS + SLOW_BODIES + NEVER_READING;
  // Of a stream there is some on its way to the caller, to the gateway, and in the provider's hands, which are here, too.
  const streamBytes = 4 * STREAM_BUFFER_BYTES;
  const mostBytes = connections * CONNECTION_BYTES + SLOW_BODIES * BODY_BYTES + NEVER_READING * streamBytes;
  const moreBytes = memoryBytes() - beforeBytes;
  assert.ok(moreBytes < mostBytes, `${moreBytes} bytes more, and ${mostBytes} are allowed`);

  await opened.disposeAsync();
  await eventually("nothing of them is left", () => gateway.standing().requests === 0);
  const holds = await gateway.store.db.selectFrom("holds").select("attempt_id").execute();
  assert.deepEqual(holds, []);
});
