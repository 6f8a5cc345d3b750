import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-http.ts";
import { replyOf, type Ask } from "./asker.ts";
import { leavingLines } from "./lines/callers.ts";
import { besides } from "./lines/besides.ts";
import { recordsOf, type Asked } from "./books.ts";
import { callerGone } from "./outcome.ts";
import type { Case } from "./lines/line.ts";
import { openScene, type Scene } from "./scene.ts";
import { speeches } from "./speech.ts";
import { upstreams } from "./table.ts";
import { testLines } from "./test-lines.ts";

/** Most that may pass between a caller's leaving and the provider's noticing, where nothing else holds the machine up. */
const CANCELLED_WITHIN_MS = 100;
/** So often it may be held up. */
const LEAVINGS_MAX = 5;

let scene: Scene;
before(async () => {
  scene = await openScene();
  for (const upstream of upstreams) {
    scene.provide(`draining-${upstream}`, upstream, { callerGone: "drain", drainMs: 20_000 });
    scene.provide(`impatient-${upstream}`, upstream, { callerGone: "drain", drainMs: 50 });
    scene.provide(`narrow-${upstream}`, upstream, { concurrency: 1 });
  }
});
after(() => scene[Symbol.asyncDispose]());

interface Leaving {
  readonly asked: Asked;
  /** From the leaving to the moment the provider had noticed. */
  readonly noticedAfterMs: number;
}

/** Asks, leaves when the provider is at work, and waits until it is done. `begun`: not before this has come. */
async function leave(ask: Ask, begun?: string): Promise<Leaving> {
  const { simulator } = scene.test;
  let received: Buffer = Buffer.alloc(0);
  let hangUp = (): void => undefined;
  const onChunk = (bytes: Buffer): void => void (received = bytes);
  const asked = scene.ask({ ...ask, onStart: (act) => (hangUp = act), onChunk });
  const hasBegun = (): boolean => begun === undefined || received.includes(begun);
  await eventually("the moment to leave", () => simulator.stats().running === 1 && hasBegun());
  const leftAtMs = performance.now();
  hangUp();
  await scene.whenCalled(0);
  return { asked, noticedAfterMs: performance.now() - leftAtMs };
}

async function checkCancelled(one: Case, script: string, begun?: string): Promise<void> {
  for (let leavings = 1; ; leavings++) {
    const cancelled = scene.test.simulator.stats().cancelled;
    const { asked, noticedAfterMs } = await leave({ ...one, script }, begun);
    assert.equal(scene.test.simulator.stats().cancelled, cancelled + 1, "the provider was told");
    await scene.check(asked, one);
    if (noticedAfterMs < CANCELLED_WITHIN_MS) return;
    assert.ok(leavings < LEAVINGS_MAX, `${leavings} times late, at last after ${Math.round(noticedAfterMs)} ms`);
  }
}

/** Leaves after these bytes. */
async function leaveAfter(one: Case, agent: string, bytes: string): Promise<void> {
  const connection = await connectRaw(scene.test.url);
  connection.write(bytes);
  connection.socket.end(() => connection.socket.destroy());
  const reply = connection.closed.then(() => replyOf(null));
  await scene.check({ model: agent, agent, reply }, one);
}

testLines(leavingLines, {
  async "gone before body"(one) {
    const [early, late] = [scene.nextAgent(), scene.nextAgent()];
    await leaveAfter(one, early, `${scene.headOf(one.caller, early, 100)}\r\n`);
    await leaveAfter(one, late, `${scene.headOf(one.caller, late, 100)}\r\n{"model":`);
  },
  async "gone in queue"(one) {
    const provider = `narrow-${one.upstream}`;
    const first = scene.ask({ ...one, provider, script: "ttft=1000" });
    await scene.whenCalled();
    let hangUp = (): void => undefined;
    const asked = scene.ask({ ...one, provider, onStart: (act) => (hangUp = act) });
    await eventually("it waits", () =>
      scene.test.gateway.standing().queues.some(({ waitingInteractive }) => waitingInteractive === 1),
    );
    hangUp();
    await scene.check(asked, one);
    await scene.whenCalled(0);
    await first.reply;
  },
  "gone waiting": (one) => checkCancelled(one, "ttft=60000"),
  async "gone in stream"(one) {
    const { begun } = speeches[one.caller];
    await checkCancelled(one, "tokens=10000,rate=200", begun);
    const deaf = await leave({ ...one, script: "tokens=200,rate=200,fault=ignore-cancellation" }, begun);
    const booked = await scene.check(deaf.asked, one);
    assert.ok((booked?.row.total_us ?? 0) < 900_000, `the request took ${booked?.row.total_us} µs`);
  },
  async "gone at delivery"(one) {
    let hangUp = (): void => undefined;
    const script = "tokens=100000";
    const asked = scene.ask({ ...one, script, readNothing: true, onStart: (act) => (hangUp = act) });
    await eventually("it is recorded", () => recordsOf(scene.books, asked).executeTakeFirst());
    hangUp();
    await scene.check(asked, one);
  },
  async "gone waiting, drained"(one) {
    const { asked } = await leave({ ...one, provider: `draining-${one.upstream}`, script: "ttft=600" });
    await scene.check(asked, one);
  },
  async "gone in stream, drained"(one) {
    const ask = { ...one, provider: `draining-${one.upstream}`, script: "tokens=300,rate=400" };
    const { asked } = await leave(ask, speeches[one.caller].begun);
    await scene.check(asked, one);
  },
});

describe("a drain", () => {
  for (const upstream of upstreams) {
    test(`of ${upstream}: ${besides.longDrain}`, async () => {
      const ask = { upstream, provider: `impatient-${upstream}`, stream: true, script: "tokens=5000,rate=200" };
      const { asked } = await leave(ask, speeches["openai-chat"].begun);
      await scene.check(asked, { outcome: callerGone(200, "estimate"), stream: true, caller: "openai-chat" });
    });
  }
});

test("callers who leave leave the books in order", () => scene.assertBooks());
