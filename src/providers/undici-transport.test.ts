import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startLocalServer, type LocalServer } from "../../test/support/local-server.ts";
import { eventually } from "../../test/support/eventually.ts";
import { listenSilently } from "../../test/support/silent-listener.ts";
import { ConnectionsInUse, type Transport, type UpstreamCall } from "./transport.ts";
import { createUndiciTransport } from "./undici-transport.ts";

const LARGE_BYTES = 1_000_000;

/** What became of a call. */
class Seen {
  sent = false;
  data = "";
  ended = false;
  error: Error | null = null;

  onSent(): void {
    this.sent = true;
  }
  onHeaders(): void {}
  onData(chunk: Uint8Array): void {
    this.data += Buffer.from(chunk).toString();
  }
  onEnd(): void {
    this.ended = true;
  }
  onError(error: Error): void {
    this.error = error;
  }
}

interface Place extends AsyncDisposable {
  readonly transport: Transport;
  /** Of requests that have come in, in order; nothing is answered by itself. */
  readonly responses: ServerResponse[];
  call(): { readonly seen: Seen; readonly call: UpstreamCall };
}

async function openPlace(connectionsMax: number): Promise<Place> {
  const responses: ServerResponse[] = [];
  const server: LocalServer = await startLocalServer((request, response) => {
    request.resume().on("end", () => responses.push(response));
  });
  const transport = createUndiciTransport({ connectTimeoutMs: 30_000, connectionsMax });
  return {
    transport,
    responses,
    call() {
      const seen = new Seen();
      const request = { method: "GET", origin: server.url, path: "/", headers: [], body: null } as const;
      return { seen, call: transport.send(request, seen) };
    },
    async [Symbol.asyncDispose]() {
      for (const response of responses) response.destroy();
      await transport[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function assertRefused({ call }: Place): Promise<void> {
  const { seen } = call();
  await eventually("it is refused", () => seen.error !== null);
  assert.ok(seen.error instanceof ConnectionsInUse);
  assert.equal(seen.sent, false);
}

test("a call for which there is no connection is not made, and does not wait for one", async () => {
  await using place = await openPlace(2);
  const first = place.call();
  place.call();
  await eventually("both have come", () => place.responses.length === 2);
  await assertRefused(place);
  place.responses[0]?.end("one");
  await eventually("the first is answered", () => first.seen.ended);
  const third = place.call();
  await eventually("the third has come", () => place.responses.length === 3);
  assert.equal(third.seen.error, null);
  await assertRefused(place);
});

test("a call that is aborted leaves its connection to others, also before it was made", async () => {
  await using place = await openPlace(1);
  for (let round = 0; round < 5; round++) {
    const { call } = place.call();
    call.abort();
    await eventually("there is room", async () => {
      const next = place.call();
      await new Promise(setImmediate);
      const hasRoom = next.seen.error === null;
      next.call.abort();
      return hasRoom;
    });
  }
  const last = place.call();
  await eventually("it has come", () => last.seen.sent || last.seen.error !== null);
  assert.equal(last.seen.error, null);
});

test("a connection that was released is used again if it ends in time, and closed if another call needs it", async () => {
  await using place = await openPlace(1);
  const first = place.call();
  await eventually("it has come", () => place.responses.length === 1);
  first.call.release();
  const second = place.call();
  await eventually("the second has come", () => place.responses.length === 2);
  assert.equal(second.seen.error, null);
  await assertRefused(place);
  place.responses[1]?.end("two");
  await eventually("the second is answered", () => second.seen.ended);
  assert.deepEqual([second.seen.data, first.seen.ended, first.seen.error], ["two", false, null]);
});

test("a call that is aborted while its connection is dialled keeps neither its body nor its handler alive", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  await using silent = await listenSilently();
  // The handshake of TLS takes as long as the listener is silent.
  const origin = `https://127.0.0.1:${silent.port}`;
  await using transport = createUndiciTransport({ connectTimeoutMs: 60_000, connectionsMax: 10 });
  const kept: WeakRef<object>[] = [];
  const give = (): UpstreamCall => {
    const [body, seen] = [Buffer.alloc(LARGE_BYTES), new Seen()];
    kept.push(new WeakRef(body), new WeakRef(seen));
    return transport.send({ method: "POST", origin, path: "/", headers: [], body }, seen);
  };
  const calls = Array.from({ length: 5 }, give);
  await nextTurn();
  for (const call of calls) call.abort();
  await eventually("all is given back", () => {
    gc();
    return kept.every((reference) => reference.deref() === undefined);
  });
});

test("a large body comes whole, with its length", async () => {
  const body = Buffer.from("0123456789".repeat(200_000));
  const { promise, resolve } = Promise.withResolvers<readonly [string | undefined, Buffer]>();
  await using server = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      resolve([request.headers["content-length"], Buffer.concat(chunks)]);
      response.end("done");
    });
  });
  await using transport = createUndiciTransport({ connectTimeoutMs: 30_000, connectionsMax: 1 });
  const seen = new Seen();
  transport.send({ method: "POST", origin: server.url, path: "/", headers: [], body }, seen);
  const [length, received] = await promise;
  assert.equal(length, String(body.byteLength));
  assert.ok(received.equals(body));
  await eventually("the answer", () => seen.ended);
});

test("a call that cannot connect leaves its place", async () => {
  const transport = createUndiciTransport({ connectTimeoutMs: 30_000, connectionsMax: 1 });
  const server = await startLocalServer(() => {});
  await server[Symbol.asyncDispose]();
  for (let round = 0; round < 3; round++) {
    const seen = new Seen();
    transport.send({ method: "GET", origin: server.url, path: "/", headers: [], body: null }, seen);
    await eventually("it has failed", () => seen.error !== null);
    assert.ok(!(seen.error instanceof ConnectionsInUse), String(seen.error));
  }
  await transport[Symbol.asyncDispose]();
});
