import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { callWebhook, signWebhook, type Webhook, type WebhookHandler, type WebhookRequest } from "./webhook.ts";

const webhook: Webhook = {
  url: "https://ops.example:8443/hooks/alerts?team=1",
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
};
const message = { id: "alt_1", body: "{}" };

test("signs as the reference library of Standard Webhooks does", () => {
  const signature = signWebhook(webhook.secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}');
  assert.equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

/** One call whose other end the test plays. */
function start(signal: AbortSignal = new AbortController().signal): {
  readonly status: Promise<number>;
  readonly request: WebhookRequest;
  readonly handler: WebhookHandler;
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly aborted: () => boolean;
} {
  const clock = createVirtualClock();
  let sent: { readonly request: WebhookRequest; readonly handler: WebhookHandler } | null = null;
  let aborted = false;
  const transport = {
    send(request: WebhookRequest, handler: WebhookHandler) {
      sent = { request, handler };
      return { abort: () => void (aborted = true) };
    },
  };
  const status = callWebhook({ transport, clock }, webhook, message, signal);
  const { request, handler } = sent ?? assert.fail("nothing was sent");
  return { status, request, handler, clock, aborted: () => aborted };
}

test("goes to the whole address, query included, by POST", async () => {
  const { status, request, handler } = start();
  assert.deepEqual(
    [request.method, request.origin, request.path],
    ["POST", "https://ops.example:8443", "/hooks/alerts?team=1"],
  );
  handler.onHeaders(204);
  handler.onEnd();
  assert.equal(await status, 204);
});

test("leaves no timer behind, however it ends", async () => {
  for (const end of ["onEnd", "onError"] as const) {
    const { status, handler, clock } = start();
    handler.onHeaders(500);
    handler[end](new Error("reset"));
    assert.equal(await status, 500, "the status was there before the connection broke");
    assert.equal(clock.pendingCount, 0);
  }
});

test("a connection that breaks before the status is a failure", async () => {
  const { status, handler } = start();
  handler.onError(new Error("reset"));
  await assert.rejects(status, /^Error: reset$/);
});

test("an answer that does not come, or does not end, is not waited for", async () => {
  const silent = start();
  silent.clock.advance(15_000);
  await assert.rejects(silent.status, /no answer within 15 s/);
  assert.equal(silent.aborted(), true);
  const endless = start();
  endless.handler.onHeaders(200);
  endless.clock.advance(15_000);
  assert.equal(await endless.status, 200);
  assert.equal(endless.aborted(), true);
  const flood = start();
  flood.handler.onHeaders(200);
  flood.handler.onData(new Uint8Array(65_537));
  assert.equal(await flood.status, 200);
  assert.equal(flood.aborted(), true);
});

test("is aborted with the reason of the signal, before and after it was sent", async () => {
  const closing = new AbortController();
  const { status, aborted } = start(closing.signal);
  closing.abort(new Error("the gateway stops"));
  await assert.rejects(status, /the gateway stops/);
  assert.equal(aborted(), true);
  const deps = { transport: { send: () => assert.fail("nothing is sent") }, clock: createVirtualClock() };
  assert.throws(() => void callWebhook(deps, webhook, message, closing.signal), /the gateway stops/);
});
