import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { eventually } from "../support/eventually.ts";
import { captureLog } from "../support/evidence.ts";
import { startTestGateway } from "../support/gateway.ts";
import { connectRaw, exchangeRaw, type RawConnection } from "../support/raw-http.ts";
import { send } from "../support/simulator-client.ts";

function chat(key: string, script: string, padding = 0): Buffer {
  const content = "x".repeat(padding);
  const body = JSON.stringify({ model: `simulator/sim-chat:${script}`, messages: [{ role: "user", content }] });
  const head = `host: test\r\nauthorization: Bearer ${key}\r\ncontent-length: ${body.length}`;
  return Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`);
}

const collectGarbage = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** What buffers take once nothing is held that need not be. */
function bufferBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

test("an idle connection holds on to nothing of its last request", async () => {
  await using place = await startTestGateway();
  const bodyBytes = 4_000_000;
  const connections: RawConnection[] = [];
  await using opened = new AsyncDisposableStack();
  const beforeBytes = bufferBytes();
  for (let count = 0; count < 8; count++) {
    const connection = opened.use(await connectRaw(place.url));
    connections.push(connection);
    connection.write(chat(place.key, "tokens=1", bodyBytes));
    const response = await connection.read();
    assert.deepEqual([response?.status, response?.headers["connection"]], [200, "keep-alive"]);
  }
  await eventually("the bodies are let go of", () => bufferBytes() - beforeBytes < 2 * bodyBytes);
  for (const { socket } of connections) assert.equal(socket.readyState, "open");
});

describe("a connection whose request has not come in whole is closed after the answer", () => {
  for (const path of ["/healthz", "/readyz", "/v1/models", "/nowhere"]) {
    test(path, async () => {
      await using place = await startTestGateway();
      using connection = await connectRaw(place.url);
      connection.write(`GET ${path} HTTP/1.1\r\nhost: test\r\ncontent-length: 100000\r\n\r\nx`);
      const response = await connection.read();
      assert.equal(response?.headers["connection"], "close");
      await connection.closed;
    });
  }

  test("and only then: a request without a body keeps its connection", async () => {
    await using place = await startTestGateway();
    using connection = await connectRaw(place.url);
    for (const path of ["/healthz", "/v1/models", "/nowhere"]) {
      connection.write(`GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`);
      assert.equal((await connection.read())?.headers["connection"], "keep-alive", path);
    }
  });
});

describe("bodies that take more than limits.bufferedBytes together", () => {
  const limits = { bufferedBytes: 1_000_000 };

  test("are refused with 503 before they are sent, until another request is over", async () => {
    await using place = await startTestGateway({ config: { limits } });
    const first = exchangeRaw(place.url, chat(place.key, "tokens=1,ttft=60000", 600_000));
    using leaving = await connectRaw(place.url);
    leaving.write(chat(place.key, "tokens=1,ttft=60000", 300_000));
    await eventually("both are open", () => place.simulator.stats().running === 2);
    using connection = await connectRaw(place.url);
    const whole = chat(place.key, "tokens=1", 600_000);
    connection.write(whole.subarray(0, 300));
    const refused = await connection.read();
    assert.equal(JSON.parse(refused?.body.toString() ?? "").error.code, "overloaded");
    assert.deepEqual([refused?.status, refused?.headers["retry-after"]], [503, "1"]);
    leaving.socket.destroy();
    await eventually("one is over", () => place.simulator.stats().running === 1);
    await eventually("there is room for a smaller one", async () => {
      const response = await exchangeRaw(place.url, chat(place.key, "tokens=1", 300_000));
      return response?.status === 200;
    });
    await place.gateway.stop(0);
    assert.equal((await first)?.status, 503);
  });

  test("are refused while they arrive, if their length was not announced", async () => {
    await using place = await startTestGateway({ config: { limits } });
    using first = await connectRaw(place.url);
    first.write(chat(place.key, "tokens=1,ttft=60000", 600_000));
    await eventually("one is open", () => place.simulator.stats().running === 1);
    using connection = await connectRaw(place.url);
    const head = `host: test\r\nauthorization: Bearer ${place.key}\r\ntransfer-encoding: chunked`;
    connection.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${(500_000).toString(16)}\r\n`);
    connection.write("x".repeat(450_000));
    assert.equal((await connection.read())?.status, 503);
  });

  test("do not keep out one that is alone", async () => {
    await using place = await startTestGateway({ config: { limits } });
    for (let count = 0; count < 3; count++) {
      const response = await exchangeRaw(place.url, chat(place.key, "tokens=1", 2_000_000));
      assert.equal(response?.status, 200);
    }
  });
});

test("a bug ends its own request only, with an id that leads to the log", async () => {
  const clock = createSystemClock();
  const log = captureLog();
  let broken = false;
  const monotonicMs = (): number => {
    if (broken) throw new Error("the clock is broken");
    return clock.monotonicMs();
  };
  const overrides = { clock: { ...clock, monotonicMs }, logger: log.logger };
  await using place = await startTestGateway({ overrides });
  broken = true;
  const reply = await send(`${place.url}/v1/models`);
  broken = false;
  const { error } = JSON.parse(reply.text);
  assert.deepEqual([reply.status, error.code], [500, "internal"]);
  assert.equal(error.request_id, reply.headers["x-request-id"]);
  assert.equal(log.text().split(`"requestId":"${error.request_id}"`).length, 2, "logged once");
  const response = await exchangeRaw(place.url, chat(place.key, "tokens=1"));
  assert.equal(response?.status, 200);
});
