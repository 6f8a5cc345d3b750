import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import type { ProviderConfig, QueueConfig } from "../../config/config.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Pass, QueueRequest } from "./pass.ts";
import { createTargetQueues, tenantWeight, type QueuesConfig, type TargetQueue } from "./queue.ts";

const rules: QueueConfig = { lengthMax: 4, waitMs: 5_000, batchWaitMs: 60_000, batchPercent: 10, weights: { acme: 3 } };

type Bounds = Pick<ProviderConfig, "concurrency" | "modelConcurrency">;

function configOf(
  providers: Readonly<Record<string, Partial<Bounds>>>,
  adaptiveConcurrency: "on" | "off" = "off",
): QueuesConfig {
  const bounded = Object.entries(providers).map(([name, bounds]) => {
    return [name, { concurrency: 0, modelConcurrency: {}, ...bounds }];
  });
  return {
    queue: rules,
    providers: Object.fromEntries(bounded) as QueuesConfig["providers"],
    health: { adaptiveConcurrency },
  };
}

function enter(queue: TargetQueue | null, request: Partial<QueueRequest> = {}): Pass {
  assert.ok(queue !== null);
  const { waitMs } = rules;
  const usual = { tenantId: "a", weight: 1, priority: "interactive", cost: 10, waitMs, dueMs: Infinity } as const;
  return queue.enter({ ...usual, ...request });
}

test("a model has the bound of its own, else its provider's, else none", () => {
  const config = configOf({ box: { concurrency: 2, modelConcurrency: { "org/big": 1 } }, open: {} });
  const queues = createTargetQueues({ clock: createVirtualClock() }, config);
  enter(queues.find("box", "org/big"));
  enter(queues.find("box", "small"));
  enter(queues.find("box", "tiny"));
  assert.equal(queues.find("open", "any"), null);
  assert.equal(queues.find("unheard-of", "any"), null);
  assert.deepEqual(
    queues.standings().map(({ target, concurrency, running }) => [target, concurrency, running]),
    [
      ["box", 2, 2],
      ["box/org/big", 1, 1],
    ],
  );
});

test("calls wait for the connections to their provider where these are fewer than its bound, or it has none", () => {
  const deps = { clock: createVirtualClock(), connectionsMax: 3 };
  const config = configOf({ open: {}, narrow: { concurrency: 2 }, wide: { concurrency: 9 } });
  const boundsOf = (given: QueuesConfig): readonly (readonly [string, number])[] =>
    createTargetQueues(deps, given)
      .standings()
      .map(({ target, concurrency }) => [target, concurrency]);
  assert.deepEqual(boundsOf(config), [
    ["open", 3],
    ["narrow", 2],
    ["wide", 3],
  ]);
  // What adapts is bounded for each model.
  assert.deepEqual(boundsOf(configOf({ open: {} }, "on")), []);
});

test("a reload keeps the calls of a target that stays bounded, and lets all go where the bound is taken away", async () => {
  const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: { concurrency: 1 } }));
  const running = enter(queues.find("box", "m"));
  const next = enter(queues.find("box", "m"));
  const last = enter(queues.find("box", "m"));
  queues.configure(configOf({ box: { concurrency: 2 } }));
  await next.ready;
  assert.deepEqual([queues.standings()[0]?.running, queues.standings()[0]?.waitingInteractive], [2, 1]);
  queues.configure(configOf({ box: {} }));
  await last.ready;
  assert.deepEqual([queues.find("box", "m"), queues.standings()], [null, []]);
  for (const pass of [running, next, last]) pass.leave();
});

test("after a drain nothing waits, not even at a target that is new since", async () => {
  const queues = createTargetQueues({ clock: createVirtualClock() }, configOf({ box: { concurrency: 1 } }));
  enter(queues.find("box", "m"));
  const waiting = enter(queues.find("box", "m"));
  queues.drain();
  await assert.rejects(waiting.ready ?? Promise.resolve(), { code: "shutting_down" });
  queues.configure(configOf({ late: { concurrency: 1 } }));
  enter(queues.find("late", "m"));
  assert.throws(() => enter(queues.find("late", "m")), { code: "shutting_down" });
});

test("a tenant has the weight that is configured for its name, else 1", () => {
  assert.equal(tenantWeight(rules, "acme"), 3);
  assert.equal(tenantWeight(rules, "other"), 1);
  assert.equal(tenantWeight(rules, "constructor"), 1);
});

const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant("enter" as const), fc.nat(50), fc.integer({ min: 0, max: 9_000 })) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("leave" as const), fc.nat(50), fc.integer({ min: 0, max: 40 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("cancel" as const), fc.nat(50), fc.constant(0)) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant("advance" as const), fc.constant(0), fc.integer({ min: 1, max: 3_000 })),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("configure" as const), fc.integer({ min: 1, max: 4 }), fc.constant(0)) },
);

test("over any history each call gets one answer, no slot is idle while a call waits, and in the end nothing is left", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const clock = createVirtualClock();
      const queues = createTargetQueues({ clock }, configOf({ box: { concurrency: 2 } }));
      const queue = queues.find("box", "m");
      const running: Pass[] = [];
      const waiting: Pass[] = [];
      const answered = new Set<Pass>();
      let concurrency = 2;

      const settle = (pass: Pass, passed: boolean): void => {
        assert.ok(!answered.has(pass), "a call was answered twice");
        answered.add(pass);
        if (pass.ready !== null) waiting.splice(waiting.indexOf(pass), 1);
        if (passed) running.push(pass);
      };
      const come = (pick: number, dueInMs: number): void => {
        const request = { tenantId: "abc"[pick % 3]!, priority: pick % 5 === 0 ? "batch" : "interactive" } as const;
        let pass: Pass;
        try {
          pass = enter(queue, { ...request, cost: pick, dueMs: clock.monotonicMs() + dueInMs });
        } catch (thrown) {
          assert.ok(thrown instanceof HeadgateError && thrown.code === "overloaded");
          return;
        }
        if (pass.ready === null) return settle(pass, true);
        waiting.push(pass);
        pass.ready.then(
          () => settle(pass, true),
          () => settle(pass, false),
        );
      };

      for (const [kind, pick, amount] of steps) {
        if (kind === "enter") come(pick, amount);
        else if (kind === "leave") running.splice(pick % Math.max(1, running.length), 1)[0]?.leave(amount);
        else if (kind === "cancel")
          waiting[pick % Math.max(1, waiting.length)]?.cancel(new HeadgateError("client_closed", ""));
        else if (kind === "advance") clock.advance(amount);
        else queues.configure(configOf({ box: { concurrency: (concurrency = pick) } }));
        await new Promise(setImmediate);
        const [standing] = queues.standings();
        assert.ok(standing !== undefined);
        assert.equal(standing.running, running.length);
        assert.equal(standing.waitingInteractive + standing.waitingBatch, waiting.length);
        assert.ok(waiting.length === 0 || running.length >= concurrency, "a slot was idle while a call waited");
        assert.equal(clock.pendingCount > 0, waiting.length > 0);
      }
      while (running.length > 0) {
        running.pop()?.leave();
        await new Promise(setImmediate);
      }
      assert.deepEqual([waiting.length, clock.pendingCount, enter(queue).ready], [0, 0, null]);
    }),
    { numRuns: 200 },
  );
});
