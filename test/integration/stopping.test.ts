/** `serve` as a process that is told to stop while it has work of every kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { openDatabase } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startProcess } from "../support/gateway-process.ts";
import { connectRaw, type RawConnection } from "../support/raw-http.ts";
import { eventData, type Reply, send, type SendOptions } from "../support/simulator-client.ts";

interface Stopping extends AsyncDisposable {
  readonly process: GatewayProcess;
  readonly simulator: Simulator;
  /** Of `box`, which takes one call at a time, or of `wide`, which takes all that come. */
  ask(model: string, options?: SendOptions & { readonly stream?: boolean }): Promise<Reply>;
  /** Each request's status, ending and attempts, and what is still held: once the process is gone. */
  books(): Promise<{ readonly requests: readonly (readonly unknown[])[]; readonly holds: number }>;
}

async function start(shutdownGraceMs: number): Promise<Stopping> {
  await using opened = new AsyncDisposableStack();
  const simulator = opened.use(await startSimulator({ clock: createSystemClock() }));
  const provider = { kind: "simulator", baseUrl: `${simulator.url}/v1` };
  const config = {
    server: { shutdownGraceMs },
    telemetry: { logLevel: "silent" },
    providers: { wide: provider, box: { ...provider, concurrency: 1 } },
  };
  const process = opened.use(await startProcess(config));
  const resources = opened.move();
  return {
    process,
    simulator,
    ask(model, { stream = false, ...options } = {}) {
      const body = { model, stream, messages: [{ role: "user", content: "Hi" }] };
      const headers = { authorization: `Bearer ${process.key}` };
      return send(`${process.url}/v1/chat/completions`, { ...options, body, headers });
    },
    async books() {
      const db = openDatabase(process.store);
      const rows = await db.selectFrom("requests").selectAll().orderBy("request_id").execute();
      const holds = await db.selectFrom("holds").select("attempt_id").execute();
      await db.destroy();
      const requests = rows.map(({ status, ending, attempts }) => [status, ending, attempts]);
      return { requests, holds: holds.length };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A request of which the last line is yet to come. */
async function begin(url: string, path: string): Promise<RawConnection> {
  const connection = await connectRaw(url);
  connection.write(`GET ${path} HTTP/1.1\r\nhost: test\r\n`);
  return connection;
}

async function finish(connection: RawConnection): Promise<readonly unknown[]> {
  connection.write("\r\n");
  const response = await connection.read();
  return [response?.status, JSON.parse(response?.body.toString() ?? "null")];
}

test("a process that is told to stop is not ready but alive, refuses who waits, and finishes what it has begun", async () => {
  await using place = await start(20_000);
  const { process, simulator, ask } = place;
  const { url } = process;
  let received: Buffer = Buffer.alloc(0);
  const stream = ask("wide/sim-chat:tokens=80,rate=45", { stream: true, onChunk: (bytes) => (received = bytes) });
  await eventually("the stream has begun", () => received.includes('"content":"'));
  const running = ask("box/sim-chat:tokens=5,ttft=1500");
  await eventually("the box is full", () => simulator.stats().running === 2);
  const waiting = ask("box/sim-chat:tokens=5");
  using readiness = await begin(url, "/readyz");
  using health = await begin(url, "/healthz");
  // A round trip that begins later shows that the one that waits has come to its place in the queue.
  assert.equal((await send(`${url}/readyz`)).status, 200);
  assert.equal((await ask("wide/sim-chat:tokens=1")).status, 200);

  const ended = process.end("SIGTERM");
  const refused = await waiting;
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [503, "1"]);
  const { error } = JSON.parse(refused.text);
  assert.equal(error.code, "shutting_down");
  assert.match(error.message, /still waited for box/);
  assert.deepEqual(await finish(readiness), [503, { status: "unavailable", reason: "shutting down" }]);
  assert.deepEqual(await finish(health), [200, { status: "ok" }]);
  assert.equal((await send(`${url}/readyz`)).errorCode, "ECONNREFUSED");
  assert.equal(simulator.stats().running, 2, "the others go on meanwhile");

  assert.match((await stream).text, /data: \[DONE\]\n\n$/);
  assert.equal((await running).status, 200);
  assert.equal(await ended, 0);
  const { requests, holds } = await place.books();
  const served = [200, "complete", 1];
  assert.deepEqual(requests, [served, served, [503, "shutdown", 0], served]);
  assert.equal(holds, 0);
});

test("what lasts longer than the grace period is ended with a word, settled, and the exit code is 0", async () => {
  await using place = await start(200);
  let received: Buffer = Buffer.alloc(0);
  const script = "wide/sim-chat:tokens=5000,rate=50";
  const stream = place.ask(script, { stream: true, onChunk: (bytes) => (received = bytes) });
  await eventually("the stream has begun", () => received.includes('"content":"'));
  assert.equal(await place.process.end("SIGTERM"), 0);
  const { text, complete } = await stream;
  assert.equal(complete, true);
  assert.equal(JSON.parse(eventData(text).at(-1) ?? "").error.code, "shutting_down");
  assert.equal(place.simulator.stats().cancelled, 1, "the provider was told");
  assert.deepEqual(await place.books(), { requests: [[200, "shutdown", 1]], holds: 0 });
});
