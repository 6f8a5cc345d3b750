import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Pass, QueueRequest } from "../pass.ts";
import type { LimitedCall } from "./pace.ts";
import { createSlowedTargets, type SlowedTargets } from "./slowed-targets.ts";

const rules = { lengthMax: 5, batchPercent: 10 };

interface Place {
  readonly clock: VirtualClock;
  readonly targets: SlowedTargets;
  /** Of what the operator was told. */
  readonly told: readonly string[];
  /** `p/m` is slowed down to ten calls a second, the first after a tenth of one. */
  slow(): void;
  enter(request?: Partial<QueueRequest>): Pass;
}

function createPlace(): Place {
  const clock = createVirtualClock();
  const told: string[] = [];
  const targets = createSlowedTargets({ clock, events: { slowedDown: (target) => told.push(target) } }, rules);
  const usual = {
    tenantId: "a",
    weight: 1,
    priority: "interactive",
    cost: 10,
    waitMs: 30_000,
    dueMs: Infinity,
  } as const;
  return {
    clock,
    targets,
    told,
    slow: () => targets.limited("p", "m", tenInASecond(clock)),
    enter(request = {}) {
      const target = targets.find("p", "m");
      assert.ok(target !== null);
      return target.enter({ ...usual, ...request });
    },
  };
}

function tenInASecond(clock: VirtualClock): LimitedCall {
  const nowMs = clock.monotonicMs();
  return { beganMs: nowMs, saysWhen: false, againMs: nowMs, ofLate: { calls: 100, limited: 90, spanMs: 1_000 } };
}

async function stateOf(pass: Pass): Promise<string> {
  if (pass.ready === null) return "at once";
  const served = pass.ready.then(
    () => "its turn",
    (failure: unknown) => (failure instanceof HeadgateError ? failure.code : String(failure)),
  );
  return Promise.race([served, setImmediate("waiting")]);
}

describe("a target that is slowed down", () => {
  test("lets calls leave one after another, by turns of the tenants", async () => {
    const { clock, slow, enter } = createPlace();
    slow();
    const passes = ["a", "a", "b"].map((tenantId) => enter({ tenantId }));
    const states = (): Promise<readonly string[]> => Promise.all(passes.map(stateOf));
    assert.deepEqual(await states(), ["waiting", "waiting", "waiting"]);
    clock.advance(110);
    assert.deepEqual(await states(), ["its turn", "waiting", "waiting"]);
    clock.advance(100);
    assert.deepEqual(await states(), ["its turn", "waiting", "its turn"]);
    clock.advance(100);
    assert.deepEqual([await states(), clock.pendingCount], [Array(3).fill("its turn"), 0]);
    assert.deepEqual(
      passes.map(({ waitedMs }) => Math.round(waitedMs)),
      [100, 297, 199],
    );
  });

  test("lets a call leave at once where none has left for long enough", async () => {
    const { clock, slow, enter } = createPlace();
    slow();
    clock.advance(500);
    assert.equal(await stateOf(enter()), "at once");
    assert.equal(await stateOf(enter()), "waiting");
  });

  test("says when the turn of the next call comes, about", () => {
    const { clock, slow, targets, enter } = createPlace();
    slow();
    const turnMs = (): number => Math.round(targets.find("p", "m")?.turnMs(clock.monotonicMs()) ?? Number.NaN);
    assert.equal(turnMs(), 100);
    enter();
    enter();
    assert.equal(turnMs(), 300);
  });

  test("refuses as limited who may not wait for so long, whose wait is over, and who finds the line full", async () => {
    const { clock, slow, enter } = createPlace();
    slow();
    assert.throws(() => enter({ dueMs: 50 }), {
      code: "target_limited",
      status: 429,
      message: /^p\/m is slowed down, because its provider limits its rate: .* its deadline allows 50 ms/,
    });
    const passes = Array.from({ length: 5 }, () => enter({ waitMs: 250 }));
    assert.throws(() => enter(), { code: "target_limited", message: /5 interactive requests .*queue\.lengthMax/ });
    clock.advance(260);
    const turns = Array(2).fill("its turn");
    const refused = Array(3).fill("target_limited");
    assert.deepEqual(await Promise.all(passes.map(stateOf)), [...turns, ...refused]);
  });

  test("forgets a call that was cancelled", async () => {
    const { clock, slow, enter } = createPlace();
    slow();
    const left = enter();
    left.ready?.catch(() => {});
    left.cancel(new HeadgateError("client_closed", "It left."));
    assert.deepEqual([await stateOf(left), clock.pendingCount], ["client_closed", 0]);
  });

  test("keeps those waiting that it is slowed down for further", async () => {
    const { clock, slow, enter, targets } = createPlace();
    slow();
    const pass = enter();
    const ofLate = { calls: 20, limited: 19, spanMs: 2_000 };
    targets.limited("p", "m", { beganMs: 0, saysWhen: false, againMs: 0, ofLate });
    clock.advance(1_900);
    assert.equal(await stateOf(pass), "waiting");
    clock.advance(100);
    assert.equal(await stateOf(pass), "its turn");
  });

  test("is none any more after a while without 429s", () => {
    const { clock, slow, targets } = createPlace();
    assert.equal(targets.find("p", "m"), null);
    slow();
    assert.deepEqual([targets.find("p", "other"), targets.find("q", "m")], [null, null]);
    clock.advance(40_000);
    assert.notEqual(targets.find("p", "m"), null);
    clock.advance(20_000);
    assert.equal(targets.find("p", "m"), null);
  });

  test("is told of once to the operator, and again when it is slowed down another time", () => {
    const { clock, slow, targets, told } = createPlace();
    const ofLate = { calls: 100, limited: 1, spanMs: 1_000 };
    targets.limited("p", "m", { beganMs: 0, saysWhen: false, againMs: 0, ofLate });
    assert.deepEqual(told, [], "one 429 of a hundred slows nothing down");
    slow();
    slow();
    assert.deepEqual(told, ["p/m"]);
    clock.advance(60_000);
    slow();
    assert.deepEqual(told, ["p/m", "p/m"]);
  });

  test("follows a reload with who comes next", () => {
    const { slow, enter, targets } = createPlace();
    slow();
    enter();
    targets.configure({ ...rules, lengthMax: 1 });
    assert.throws(() => enter(), { code: "target_limited" });
  });

  test("refuses at a shutdown those who wait and those who would have to, also where it is slowed down only then", async () => {
    const { slow, enter, targets, clock } = createPlace();
    slow();
    const waiting = enter();
    targets.drain();
    assert.equal(await stateOf(waiting), "shutting_down");
    assert.throws(() => enter(), { code: "shutting_down" });
    targets.limited("p", "late", tenInASecond(clock));
    const late = targets.find("p", "late");
    const request = {
      tenantId: "a",
      weight: 1,
      priority: "interactive",
      cost: 1,
      waitMs: 1_000,
      dueMs: Infinity,
    } as const;
    assert.throws(() => late?.enter(request), { code: "shutting_down" });
    assert.equal(clock.pendingCount, 0);
  });
});

test("targets that are slowed no more are dropped when there are many", () => {
  const { targets, clock } = createPlace();
  for (let name = 0; name < 1_000; name++) {
    targets.limited("p", `made-up-${name}`, tenInASecond(clock));
    clock.advance(1_000);
  }
  const kept = targets.standings();
  assert.ok(kept.length >= 50 && kept.length < 150, `${kept.length} targets`);
  assert.deepEqual(kept.at(-1), { target: "p/made-up-999", callsPerSecond: 10 * 2 ** (1 / 8), waiting: 0 });
});
