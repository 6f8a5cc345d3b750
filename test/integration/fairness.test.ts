/** A provider with one slot behind the whole gateway: who waits is neither called nor charged. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { defaultModel, withProvider } from "../../src/config/defaults.ts";
import { startUpstream, type Upstream } from "../faults/upstream-server.ts";
import { evidenceOf } from "../support/evidence.ts";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply, type SendOptions } from "../support/simulator-client.ts";

let place: TestGateway;
let upstream: Upstream;
/** Another one for each test, of which no pace is known yet. */
let provider = "";
let providers = 0;
/** Calls that have reached the provider and are not answered. */
const open: ServerResponse[] = [];

before(async () => {
  place = await startTestGateway();
  upstream = await startUpstream((_, response) => void open.push(response));
});
beforeEach(() => {
  provider = `box-${++providers}`;
  upstream.serveAs(place.gateway, provider, "sk-box");
  bound({ concurrency: 1 });
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});
afterEach(() => {
  for (const response of open.splice(0)) answer(response);
});

function bound(fields: { readonly concurrency: number }): void {
  const { config } = place.gateway;
  place.gateway.replaceConfig(withProvider(config, provider, { ...config.providers[provider]!, ...fields }));
}

function answer(response: ServerResponse | undefined): void {
  const message = { role: "assistant", content: "Hi" };
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
  response?.setHeader("content-type", "application/json");
  response?.end(JSON.stringify({ choices: [{ index: 0, finish_reason: "stop", message }], usage }));
}

function ask(
  headers: Readonly<Record<string, string>> = {},
  options: SendOptions = {},
  model = `${provider}/any`,
): Promise<Reply> {
  const body = { model, messages: [{ role: "user", content: "Hi" }] };
  const all = { authorization: `Bearer ${place.key}`, ...headers };
  return send(`${place.url}/v1/chat/completions`, { body, headers: all, ...options });
}

/** Takes the slot until the test ends or answers the call. */
async function occupy(): Promise<void> {
  void ask();
  await eventually("a call at the provider", () => open.length > 0);
}

describe("a provider whose slots are all taken", () => {
  test("takes the next call when one is over", async () => {
    const calls = [ask(), ask(), ask()];
    for (let served = 0; served < calls.length; served++) {
      const response = await eventually("a call at the provider", () => open.shift() ?? null);
      assert.equal(open.length, 0, "two calls were at the provider at the same time");
      answer(response);
    }
    const replies = await Promise.all(calls);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200, 200],
    );
  });

  test("is not called for a request whose deadline passes meanwhile, and nothing is charged", async () => {
    await occupy();
    const before = upstream.requests;
    const reply = await ask({ "x-headgate-deadline-ms": "150" });
    assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [504, "deadline_exceeded"]);
    assert.match(reply.text, /waited for box-/);
    const { row, entries } = await evidenceOf(place.gateway, String(reply.headers["x-request-id"]));
    assert.deepEqual([row.attempts, entries.length, upstream.requests], [0, 0, before]);
  });

  test("loses nothing by a caller who leaves while waiting", async () => {
    await occupy();
    const before = upstream.requests;
    let leave = (): void => {};
    const left = ask({}, { onStart: (hangUp) => (leave = hangUp) });
    await ask({ "x-headgate-deadline-ms": "150" });
    leave();
    await left;
    const { db } = place.gateway.store;
    const row = await eventually("a record of the caller who left", () =>
      db.selectFrom("requests").selectAll().where("ending", "=", "caller-gone").executeTakeFirst(),
    );
    assert.deepEqual([row.attempts, upstream.requests], [0, before]);
  });

  test("lets the others go when its bound is raised by a reload, and records how long they waited", async () => {
    await occupy();
    const next = ask();
    await ask({ "x-headgate-deadline-ms": "100" });
    bound({ concurrency: 2 });
    await eventually("a second call at the provider", () => open.length === 2);
    for (const response of open.splice(0)) answer(response);
    const { status, headers } = await next;
    const { row } = await evidenceOf(place.gateway, String(headers["x-request-id"]));
    assert.equal(status, 200);
    assert.ok(Number(row.queue_us) > 50_000, `${row.queue_us} µs`);
  });
});

test("refuses at once with the time to try again where no wait is allowed", async () => {
  const { config } = place.gateway;
  place.gateway.replaceConfig({ ...config, queue: { ...config.queue, batchWaitMs: 0 } });
  await occupy();
  const reply = await ask({ "x-headgate-priority": "batch" });
  assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [503, "overloaded"]);
  assert.equal(reply.headers["retry-after"], "1");
});

test("an alias has waits of its own, and one of its targets has others", async () => {
  const { config } = place.gateway;
  const target = `${provider}/any`;
  const models = {
    hasty: defaultModel({ targets: [{ model: target }], queue: { waitMs: 0 } }),
    patient: defaultModel({ targets: [{ model: target, queue: { waitMs: 60_000 } }], queue: { waitMs: 0 } }),
  };
  place.gateway.replaceConfig({ ...config, models });
  await occupy();
  const hasty = await ask({}, {}, "hasty");
  assert.deepEqual([hasty.status, hasty.headers["x-headgate-error-code"]], [503, "overloaded"]);
  const patient = ask({}, {}, "patient");
  await ask({ "x-headgate-deadline-ms": "100" });
  answer(open.shift());
  answer(await eventually("a second call at the provider", () => open.shift() ?? null));
  assert.equal((await patient).status, 200);
});

test("a priority that does not exist is refused", async () => {
  const reply = await ask({ "x-headgate-priority": "urgent" });
  assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [400, "invalid_header"]);
});
