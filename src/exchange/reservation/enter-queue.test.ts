import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import { defaultConfig, defaultProvider, withProvider } from "../../config/defaults.ts";
import { findDialect } from "../../dialects/registry.ts";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import type { Pass } from "../../limits/queue/pass.ts";
import { createTargetQueues, type TargetQueues } from "../../limits/queue/queue.ts";
import type { ChosenTarget } from "../attempt/choose.ts";
import { enterQueue, enterSlowed, type Queueing } from "./enter-queue.ts";

interface Place {
  readonly clock: VirtualClock;
  readonly queues: TargetQueues;
}

/** `box` takes one call at a time, of each of its two models. */
function createPlace(): Place {
  const clock = createVirtualClock();
  const box = { ...defaultProvider("box"), modelConcurrency: { one: 1, other: 1 } };
  return { clock, queues: createTargetQueues({ clock }, withProvider(defaultConfig(), "box", box)) };
}

function target(model: string): ChosenTarget {
  const queue = { waitMs: 30_000, batchWaitMs: 60_000 };
  return { target: { provider: "box", name: `box/${model}`, facts: { model }, queue } } as unknown as ChosenTarget;
}

function request(priority = "interactive"): Queueing {
  const headers = { "x-headgate-priority": priority };
  const exchange = { incoming: { headers }, snapshot: { config: defaultConfig() }, placesInLine: [] };
  const principal = { payer: { tenantId: "t" }, tenantName: "t" };
  const body = Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] }));
  const view = findDialect("openai-chat").inbound?.view(parseJsonDocument(body, { depth: 8 }));
  return { exchange, principal, view, dueMs: () => Infinity } as unknown as Queueing;
}

/** From now on the first call leaves for it in so many seconds. */
function slowDown({ clock, queues }: Place, seconds: number): void {
  const nowMs = clock.monotonicMs();
  const call = { beganMs: nowMs, saysWhen: false, againMs: nowMs + seconds * 1_000 };
  queues.slowed.limited("box", "one", { ...call, ofLate: { calls: 100, limited: 90, spanMs: 1_000 } });
}

/** It waits, or its turn has come, or why it was refused. */
async function stateOf(pass: Pass | null): Promise<string> {
  const told = pass?.ready?.then(
    () => "its turn",
    (failure: Error) => failure.message,
  );
  return Promise.race([told ?? "at once", setImmediate("waiting")]);
}

describe("a request's allowance of waiting for a target", () => {
  test("is one for the line of a slowed target and that of a full one", async () => {
    const place = createPlace();
    const { clock, queues } = place;
    const one = target("one");
    slowDown(place, 20);
    const asking = request();
    const slowed = enterSlowed(queues, asking, one);
    enterQueue(queues, request(), one);
    clock.advance(21_000);
    assert.equal(await stateOf(slowed), "its turn");
    slowed?.leave();
    const waited = slowed?.waitedMs ?? 0;
    assert.ok(waited >= 20_000 && waited < 21_000, `${waited} ms`);
    const pass = enterQueue(queues, asking, one);
    clock.advance(30_000 - waited - 1);
    assert.equal(await stateOf(pass), "waiting");
    clock.advance(1);
    assert.match(await stateOf(pass), /^box\/one is saturated: this request waited for 30 s \(queue\.waitMs\)/);
    assert.throws(() => enterQueue(queues, asking, one), {
      code: "overloaded",
      message: /would have to wait, and what is left of queue\.waitMs allows 0 ms/,
    });
  });

  test("is another one for another target, and for another request", async () => {
    const { clock, queues } = createPlace();
    const asking = request();
    for (const model of ["one", "other"]) enterQueue(queues, request(), target(model));
    const refused = enterQueue(queues, asking, target("one"));
    clock.advance(30_000);
    assert.match(await stateOf(refused), /waited for 30 s/);
    const passes = [enterQueue(queues, asking, target("other")), enterQueue(queues, request(), target("one"))];
    clock.advance(29_999);
    assert.deepEqual(await Promise.all(passes.map(stateOf)), ["waiting", "waiting"]);
  });

  test("is used up by every call of the target, and is not asked for where there is room", async () => {
    const { clock, queues } = createPlace();
    const one = target("one");
    const asking = request("batch");
    let running = enterQueue(queues, request(), one);
    for (const seconds of [25, 25]) {
      const pass = enterQueue(queues, asking, one);
      clock.advance(seconds * 1_000);
      running?.leave();
      assert.equal(await stateOf(pass), "its turn");
      pass?.leave();
      running = enterQueue(queues, request(), one);
    }
    assert.throws(() => enterQueue(queues, asking, one), {
      message: /wait for about 12\.5 s, and what is left of queue\.batchWaitMs allows 10 s/,
    });
    running?.leave();
    assert.equal(await stateOf(enterQueue(queues, asking, one)), "at once");
  });
});
