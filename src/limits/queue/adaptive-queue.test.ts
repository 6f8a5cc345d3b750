import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import type { ProviderConfig } from "../../config/config.ts";
import type { Pass, PassOutcome } from "./pass.ts";
import { createTargetQueues, type QueuesConfig, type TargetQueues } from "./queue.ts";

type Bounds = Pick<ProviderConfig, "concurrency" | "modelConcurrency">;

const answered: PassOutcome = { kind: "answered", firstOutputMs: 200, totalMs: 1_000 };
const limited: PassOutcome = { kind: "limited" };

function configOf(
  providers: Readonly<Record<string, Partial<Bounds>>>,
  adaptiveConcurrency: "on" | "off" = "on",
): QueuesConfig {
  const bounds = Object.entries(providers).map(([name, given]) => [
    name,
    { concurrency: 0, modelConcurrency: {}, ...given },
  ]);
  return {
    queue: { lengthMax: 100, waitMs: 60_000, batchWaitMs: 60_000, batchPercent: 10, weights: {} },
    providers: Object.fromEntries(bounds) as QueuesConfig["providers"],
    health: { adaptiveConcurrency },
  };
}

function enter(queues: TargetQueues, model: string, tenantId = "a"): Pass {
  const queue = queues.find("box", model);
  assert.ok(queue !== null);
  return queue.enter({ tenantId, weight: 1, priority: "interactive", cost: 10, waitMs: 30_000, dueMs: Infinity });
}

function enterMany(queues: TargetQueues, model: string, count: number): readonly Pass[] {
  return Array.from({ length: count }, () => enter(queues, model));
}

function boundOf(queues: TargetQueues, name: string): number | undefined {
  return queues.standings().find(({ target }) => target === name)?.concurrency;
}

describe("queues whose bounds adapt", () => {
  test("stand in front of each model without a bound, and grow with the calls that fill them", () => {
    const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }));
    const running = enterMany(queues, "m", 32);
    assert.ok(running.every(({ ready }) => ready === null));
    const waiting = enterMany(queues, "m", 3);
    assert.ok(waiting.every(({ ready }) => ready !== null));
    assert.equal(enter(queues, "other").ready, null);
    running[0]!.leave(10, answered);
    assert.deepEqual(
      queues.standings().map(({ target, concurrency, running: count }) => [target, concurrency, count]),
      [
        ["box/m", 33, 33],
        ["box/other", 32, 1],
      ],
    );
  });

  test("do not stand there while the option is off, nor for a provider that there is not", () => {
    const off = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }, "off"));
    const on = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }));
    assert.deepEqual([off.find("box", "m"), on.find("unheard-of", "m")], [null, null]);
  });

  test("shrink when the provider limits, and calls then wait in turn", async () => {
    const clock = createVirtualClock();
    const queues = createTargetQueues({ clock }, configOf({ box: { concurrency: 4 } }));
    const running = enterMany(queues, "m", 4);
    const waiting = [enter(queues, "m", "a"), enter(queues, "m", "a"), enter(queues, "m", "b")];
    clock.advance(100);
    running[0]!.leave(10, limited);
    assert.equal(boundOf(queues, "box"), 3);
    running[1]!.leave(10, answered);
    await waiting[0]!.ready;
    running[2]!.leave(10, answered);
    await waiting[2]!.ready;
    assert.deepEqual(
      queues.standings().map(({ running: count, waitingInteractive }) => [count, waitingInteractive]),
      [[3, 1]],
    );
  });

  test("stay beneath what is configured, for a model of its own and for all others together", () => {
    const config = configOf({ box: { concurrency: 2, modelConcurrency: { big: 1 } } });
    const queues = createTargetQueues({ clock: createVirtualClock() }, config);
    for (let round = 0; round < 20; round++) {
      const calls = [enter(queues, "big"), enter(queues, "m"), enter(queues, "n")];
      for (const call of calls) call.leave(10, answered);
    }
    assert.deepEqual([boundOf(queues, "box/big"), boundOf(queues, "box")], [1, 2]);
  });

  test("learn nothing from a call that tells nothing", () => {
    const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }));
    for (const call of enterMany(queues, "m", 32)) call.leave();
    assert.equal(boundOf(queues, "box/m"), 32);
  });

  test("keep what they found out over a reload, and give it up with the option", async () => {
    const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }));
    const running = enterMany(queues, "m", 32);
    const waiting = enterMany(queues, "m", 2);
    running[0]!.leave(10, limited);
    assert.equal(boundOf(queues, "box/m"), 24);
    queues.configure(configOf({ box: {}, more: {} }));
    assert.equal(boundOf(queues, "box/m"), 24);
    queues.configure(configOf({ box: { modelConcurrency: { m: 20 } } }));
    assert.equal(boundOf(queues, "box/m"), 20);
    queues.configure(configOf({ box: {} }, "off"));
    for (const { ready } of waiting) await ready;
    assert.deepEqual([queues.find("box", "m"), queues.standings()], [null, []]);
    for (const pass of [...running, ...waiting]) pass.leave(10, answered);
  });

  test("are dropped for models that nobody calls when there are many names", () => {
    const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }));
    const busy = enter(queues, "busy");
    for (let name = 0; name < 5_000; name++) enter(queues, `made-up-${name}`).leave(10, answered);
    assert.ok(queues.standings().length <= 260, String(queues.standings().length));
    assert.equal(queues.standings().find(({ target }) => target === "box/busy")?.running, 1);
    busy.leave(10, answered);
  });

  test("are drained with the others, also one that is new since", async () => {
    const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: {} }));
    enterMany(queues, "m", 32);
    const waiting = enter(queues, "m");
    queues.drain();
    await assert.rejects(waiting.ready ?? Promise.resolve(), { code: "shutting_down" });
    enterMany(queues, "new", 32);
    assert.throws(() => enter(queues, "new"), { code: "shutting_down" });
  });
});
