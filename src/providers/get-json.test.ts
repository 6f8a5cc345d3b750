import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import { getJson, type JsonRequest, postJson } from "./get-json.ts";
import type { Transport, UpstreamHandler } from "./transport.ts";

const request: JsonRequest = { origin: "http://127.0.0.1:1", path: "/v1/x", headers: [], timeoutMs: 500, bytesMax: 20 };

function transportOf(behave: (handler: UpstreamHandler) => void): { transport: Transport; aborts: () => number } {
  let aborts = 0;
  const transport: Transport = {
    send(_request, handler) {
      behave(handler);
      return { abort: () => void aborts++, pause: () => {}, resume: () => {}, release: () => {} };
    },
    async [Symbol.asyncDispose]() {},
  };
  return { transport, aborts: () => aborts };
}

const live = (): AbortSignal => new AbortController().signal;

test("gives status and JSON, and null for a body that is none", async () => {
  for (const [body, json] of [
    ['{"a":1}', { a: 1 }],
    ["<html>", null],
  ] as const) {
    const { transport } = transportOf((handler) => {
      handler.onHeaders(200, {});
      handler.onData(Buffer.from(body));
      handler.onEnd();
    });
    const clock = createVirtualClock();
    const answer = await getJson(transport, clock, request, live());
    assert.deepEqual([answer.status, answer.json, clock.pendingCount], [200, json, 0]);
  }
});

test("an error that comes at once, or a send that throws, rejects with it and leaves no timer", async () => {
  const clock = createVirtualClock();
  const atOnce = transportOf((handler) => handler.onError(new Error("refused")));
  await assert.rejects(getJson(atOnce.transport, clock, request, live()), /refused/);
  const throwing = transportOf(() => {
    throw new Error("invalid header");
  });
  await assert.rejects(getJson(throwing.transport, clock, request, live()), /invalid header/);
  assert.equal(clock.pendingCount, 0);
});

test("an answer too late or too long rejects and closes the call", async () => {
  const clock = createVirtualClock();
  const silent = transportOf(() => {});
  const late = getJson(silent.transport, clock, request, live());
  clock.advance(500);
  await assert.rejects(late, /did not answer within 500 ms/);
  let handler: UpstreamHandler | null = null;
  const endless = transportOf((given) => {
    handler = given;
  });
  const long = getJson(endless.transport, clock, request, live());
  (handler as UpstreamHandler | null)?.onData(Buffer.alloc(21));
  await assert.rejects(long, /longer than 20 bytes/);
  assert.deepEqual([silent.aborts(), endless.aborts()], [1, 1]);
});

test("aborting rejects with the signal's reason", async () => {
  const { transport, aborts } = transportOf(() => {});
  const controller = new AbortController();
  const pending = getJson(transport, createVirtualClock(), request, controller.signal);
  controller.abort(new Error("stop"));
  await assert.rejects(pending, /stop/);
  assert.equal(aborts(), 1);
});

test("a POST carries its body", async () => {
  const sent: unknown[] = [];
  const transport: Transport = {
    send({ method, body }, handler) {
      sent.push(method, String(body));
      handler.onHeaders(200, {});
      handler.onEnd();
      return { abort() {}, pause() {}, resume() {}, release() {} };
    },
    async [Symbol.asyncDispose]() {},
  };
  const answer = await postJson(transport, createVirtualClock(), { ...request, body: Buffer.from("{}") }, live());
  assert.deepEqual([answer.status, answer.json, ...sent], [200, null, "POST", "{}"]);
});
