/** Connections to providers: one for request after request, kept while nobody uses it, and no failure where it is gone. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, mock, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { defaultProvider } from "../../src/config/defaults.ts";
import type { Transport } from "../../src/providers/transport.ts";
import { createUndiciTransport } from "../../src/providers/undici-transport.ts";
import { eventually } from "../support/eventually.ts";
import { evidenceOf } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send } from "../support/simulator-client.ts";

const WARM_MS = 60_000;
/** The transport's clock ticks every half second, and a timer set between two ticks may be a tick late. */
const TICKS_MS = 1_500;

const answer = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hi" } }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
});

interface Provider extends AsyncDisposable {
  readonly url: string;
  /** Opened so far. */
  readonly connections: number;
  /** Resolves when it has closed those that nobody uses. */
  closeIdle(): Promise<void>;
}

/** `keepAliveMs`: for how long it says that it keeps idle connections; 0: it does not say, and keeps them. */
async function startProvider(keepAliveMs: number, listener: RequestListener): Promise<Provider> {
  const server: Server = createServer({ keepAliveTimeout: keepAliveMs }, listener);
  let connections = 0;
  let closed = 0;
  server.on("connection", (socket) => {
    connections++;
    socket.on("close", () => closed++);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    async closeIdle() {
      server.closeIdleConnections();
      await eventually("they are closed", () => closed === connections);
      await nextTurn();
    },
    async [Symbol.asyncDispose]() {
      const over = once(server, "close");
      server.close();
      server.closeAllConnections();
      await over;
    },
  };
}

const answering: RequestListener = (request, response) => {
  request.resume().on("end", () => response.setHeader("content-type", "application/json").end(answer));
};

/** Resolves when the answer is whole and the connection is free again. */
async function call(transport: Transport, origin: string): Promise<void> {
  const over = Promise.withResolvers<void>();
  transport.send(
    { method: "POST", origin, path: "/", headers: [], body: Buffer.from("{}") },
    { onSent() {}, onHeaders() {}, onData() {}, onEnd: over.resolve, onError: over.reject },
  );
  await over.promise;
  await nextTurn();
}

describe("a connection that nobody uses", () => {
  for (const { keepAliveMs, what, warmMs } of [
    {
      keepAliveMs: 0,
      what: "is warm for a minute where the provider does not say how long it keeps it",
      warmMs: WARM_MS,
    },
    {
      keepAliveMs: 20_000,
      what: "is left two seconds before the provider leaves it, where it says when",
      warmMs: 18_000,
    },
    { keepAliveMs: 300_000, what: "is warm for longer where the provider says so", warmMs: 298_000 },
  ]) {
    test(what, async () => {
      mock.timers.enable({ apis: ["setTimeout"] });
      try {
        await using provider = await startProvider(keepAliveMs, answering);
        await using transport = createUndiciTransport({ connectTimeoutMs: 5_000, connectionsMax: 8 });
        await call(transport, provider.url);
        mock.timers.tick(warmMs - TICKS_MS);
        await nextTurn();
        await call(transport, provider.url);
        assert.equal(provider.connections, 1, "it was used again");
        mock.timers.tick(warmMs + TICKS_MS);
        await nextTurn();
        await call(transport, provider.url);
        assert.equal(provider.connections, 2, "it was left");
      } finally {
        mock.timers.reset();
      }
    });
  }
});

async function startBefore(provider: Provider): Promise<TestGateway> {
  const own = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1` });
  return startTestGateway({ config: { providers: { own }, retries: { backoffMs: 0 } } });
}

/** Status and the number of calls. */
async function ask({ gateway, url, key }: TestGateway): Promise<readonly unknown[]> {
  const reply = await send(`${url}/v1/chat/completions`, {
    body: { model: "own/m", messages: [{ role: "user", content: "Hi" }] },
    headers: { authorization: `Bearer ${key}` },
  });
  const { row } = await evidenceOf(gateway, String(reply.headers["x-request-id"]));
  return [reply.status, row.attempts];
}

test("requests one after the other use one connection to their provider", async () => {
  await using provider = await startProvider(0, answering);
  await using place = await startBefore(provider);
  for (let request = 0; request < 5; request++) assert.deepEqual(await ask(place), [200, 1]);
  assert.equal(provider.connections, 1);
});

test("a connection that the provider has closed is not used", async () => {
  await using provider = await startProvider(0, answering);
  await using place = await startBefore(provider);
  assert.deepEqual(await ask(place), [200, 1]);
  await provider.closeIdle();
  assert.deepEqual(await ask(place), [200, 1]);
  assert.equal(provider.connections, 2);
});

test("who meets a connection that the provider leaves at that moment is served by another", async () => {
  let served = 0;
  await using provider = await startProvider(0, (request, response) => {
    served++;
    if (served === 3) request.socket.resetAndDestroy();
    else answering(request, response);
  });
  await using place = await startBefore(provider);
  assert.deepEqual(
    [await ask(place), await ask(place)],
    [
      [200, 1],
      [200, 1],
    ],
  );
  assert.equal(provider.connections, 1);
  assert.deepEqual(await ask(place), [200, 2]);
  assert.equal(provider.connections, 2);
});
