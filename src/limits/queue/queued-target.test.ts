import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import type { QueueConfig } from "../../config/config.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Pass, QueueRequest } from "./pass.ts";
import { QueuedTarget } from "./queued-target.ts";

const rules: QueueConfig = { lengthMax: 10, waitMs: 5_000, batchWaitMs: 60_000, batchPercent: 10, weights: {} };

interface Place {
  readonly clock: VirtualClock;
  readonly target: QueuedTarget;
  enter(request?: Partial<QueueRequest>): Pass;
  /** Fills every slot, and keeps them. */
  fill(): readonly Pass[];
}

function createPlace(concurrency: number, given: Partial<QueueConfig> = {}): Place {
  const clock = createVirtualClock();
  const target = new QueuedTarget("gpu-box", clock, { concurrency, adaptive: false }, { ...rules, ...given });
  const enter = (request: Partial<QueueRequest> = {}): Pass => {
    const { waitMs, batchWaitMs } = { ...rules, ...given };
    const usual = { tenantId: "a", weight: 1, priority: "interactive", cost: 10, dueMs: Infinity } as const;
    return target.enter({ ...usual, waitMs: request.priority === "batch" ? batchWaitMs : waitMs, ...request });
  };
  return { clock, target, enter, fill: () => Array.from({ length: concurrency }, () => enter()) };
}

/** How a pass stands after the microtasks that are due. */
async function stateOf(pass: Pass): Promise<string> {
  if (pass.ready === null) return "at once";
  const waiting = setImmediate("waiting");
  const served = pass.ready.then(
    () => "its turn",
    (failure: unknown) => (failure instanceof HeadgateError ? failure.code : String(failure)),
  );
  return Promise.race([served, waiting]);
}

/** Runs the target saturated for a while, each call taking as long as its cost says: then its pace is known. */
async function learnPace(
  { clock, enter }: Place,
  running: readonly Pass[],
  calls: number,
  costMs: number,
): Promise<void> {
  const oldest = [...running];
  for (let call = 0; call < calls; call++) {
    const next = enter();
    clock.advance(costMs / running.length);
    oldest.shift()?.leave();
    assert.equal(await stateOf(next), "its turn");
    oldest.push(next);
  }
}

describe("a target with room", () => {
  test("lets a call leave at once, without a promise", () => {
    const { target, enter, clock } = createPlace(2);
    const pass = enter();
    assert.deepEqual([pass.ready, pass.waitedMs, target.standing.running, clock.pendingCount], [null, 0, 1, 0]);
    pass.leave();
    pass.leave();
    assert.equal(target.standing.running, 0);
  });
});

describe("a saturated target", () => {
  test("gives a slot that becomes free to the call that waits", async () => {
    const { clock, target, enter, fill } = createPlace(2);
    const [first] = fill();
    const pass = enter();
    assert.equal(await stateOf(pass), "waiting");
    clock.advance(300);
    first?.leave();
    assert.deepEqual([await stateOf(pass), pass.waitedMs, target.standing.running], ["its turn", 300, 2]);
  });

  test("never has a slot that nobody uses while a call waits, nor more calls than slots", async () => {
    const { target, enter, fill } = createPlace(3);
    const running = [...fill()];
    let waiting = Array.from({ length: 8 }, (_, index) => enter({ tenantId: "abcd"[index % 4]! }));
    while (waiting.length > 0) {
      running.shift()?.leave();
      const states = await Promise.all(waiting.map(stateOf));
      running.push(...waiting.filter((_, index) => states[index] === "its turn"));
      waiting = waiting.filter((_, index) => states[index] === "waiting");
      assert.deepEqual([running.length, target.standing.waitingInteractive], [3, waiting.length]);
    }
  });

  test("refuses a call that waited for as long as it may, and tells when to try again", async () => {
    const { clock, target, enter, fill } = createPlace(1);
    fill();
    const pass = enter();
    clock.advance(4_999);
    assert.equal(await stateOf(pass), "waiting");
    clock.advance(1);
    await assert.rejects(pass.ready ?? Promise.resolve(), {
      code: "overloaded",
      retryAfterMs: 1_000,
      message:
        "gpu-box is saturated: this request waited for 5 s (queue.waitMs), and its turn did not come. Try again later.",
    });
    assert.deepEqual([target.standing.waitingInteractive, clock.pendingCount, pass.waitedMs], [0, 0, 5_000]);
    pass.leave();
    assert.equal(target.standing.running, 1);
  });

  test("takes off what the request has waited for it before", async () => {
    const { clock, enter, fill } = createPlace(1);
    fill();
    const pass = enter({ waitedMs: 3_500 });
    clock.advance(1_499);
    assert.equal(await stateOf(pass), "waiting");
    clock.advance(1);
    await assert.rejects(pass.ready ?? Promise.resolve(), { message: /waited for 5 s \(queue\.waitMs\)/ });
    assert.equal(pass.waitedMs, 1_500);
    assert.throws(() => enter({ waitedMs: 5_000 }), {
      message: /would have to wait, and what is left of queue\.waitMs allows 0 ms/,
    });
    assert.throws(() => enter({ waitedMs: 1_000, dueMs: clock.monotonicMs() }), {
      message: /its deadline allows 0 ms/,
    });
  });

  test("ends a wait when the caller's own deadline passes", async () => {
    const { clock, enter, fill } = createPlace(1);
    fill();
    const patient = enter();
    const pass = enter({ dueMs: 2_000 });
    clock.advance(2_000);
    assert.deepEqual([await stateOf(pass), await stateOf(patient)], ["deadline_exceeded", "waiting"]);
  });

  test("charges a tenant what its calls took, and their estimate where that is no number", async () => {
    for (const [used, order] of [
      [undefined, "baba"],
      [Number.NaN, "baba"],
      [-1, "baba"],
      [25, "bbba"],
    ] as const) {
      const { enter, fill } = createPlace(1);
      let [running] = fill();
      let served = "";
      const waiting = Array.from({ length: 8 }, (_, index) => ["ab"[index % 2]!, index] as const);
      const passes = waiting.map(([tenantId]) => [tenantId, enter({ tenantId })] as const);
      for (let turn = 0; turn < 5; turn++) {
        if (served === "a") running?.leave(used);
        else running?.leave();
        const states = await Promise.all(passes.map(([, pass]) => stateOf(pass)));
        const next = passes.splice(states.indexOf("its turn"), 1)[0]!;
        served += next[0];
        running = next[1];
      }
      assert.equal(served, `a${order}`, String(used));
    }
  });

  test("that had room again has forgotten who owes what", async () => {
    const { enter, fill } = createPlace(1);
    fill()[0]?.leave();
    const [running] = fill();
    const dear = enter({ cost: 1_000 });
    running?.leave();
    assert.equal(await stateOf(dear), "its turn");
    dear.leave();
    const [next] = fill();
    const one = enter({ tenantId: "a" });
    const other = enter({ tenantId: "b" });
    next?.leave();
    assert.deepEqual([await stateOf(one), await stateOf(other)], ["its turn", "waiting"]);
  });

  test("lets batch calls wait longer than interactive ones", async () => {
    const { clock, enter, fill } = createPlace(1);
    fill();
    const batch = enter({ priority: "batch" });
    clock.advance(59_999);
    assert.equal(await stateOf(batch), "waiting");
    clock.advance(1);
    assert.equal(await stateOf(batch), "overloaded");
  });

  test("uses one timer for all that wait, and none when nobody does", async () => {
    const { clock, enter, fill } = createPlace(1);
    const [running] = fill();
    const leaving = [enter(), enter({ dueMs: 3_000 })].map((pass) => [pass, pass.ready?.catch(() => null)] as const);
    const staying = enter({ tenantId: "b" });
    assert.equal(clock.pendingCount, 1);
    for (const [pass] of leaving) pass.cancel(new HeadgateError("client_closed", "The caller left."));
    assert.equal(clock.pendingCount, 1);
    running?.leave();
    assert.deepEqual([await stateOf(staying), clock.pendingCount], ["its turn", 0]);
  });
});

describe("a caller who leaves", () => {
  test("leaves the queue at once, and the one behind moves up", async () => {
    const { target, enter, fill } = createPlace(1);
    const [running] = fill();
    const leaving = enter();
    const behind = enter();
    leaving.cancel(new HeadgateError("client_closed", "The caller left."));
    assert.equal(target.standing.waitingInteractive, 1);
    running?.leave();
    assert.deepEqual([await stateOf(leaving), await stateOf(behind)], ["client_closed", "its turn"]);
  });

  test("whose turn has come keeps it until it is given back", async () => {
    const { target, enter, fill } = createPlace(1);
    const [running] = fill();
    const pass = enter();
    running?.leave();
    pass.cancel(new HeadgateError("client_closed", "The caller left."));
    assert.deepEqual([await stateOf(pass), target.standing.running], ["its turn", 1]);
    pass.leave();
    assert.equal(target.standing.running, 0);
  });
});

describe("what cannot be served in time", () => {
  test("is refused when it comes: a tenant's line is full", () => {
    const { enter, fill } = createPlace(1, { lengthMax: 3 });
    fill();
    for (let waiting = 0; waiting < 3; waiting++) enter();
    assert.throws(() => enter(), { code: "overloaded", status: 503, retryAfterMs: 1_000, message: /queue\.lengthMax/ });
    enter({ tenantId: "b" });
    enter({ priority: "batch" });
  });

  test("is refused when it comes: at the pace of late its turn would come too late", async () => {
    const place = createPlace(2, { waitMs: 2_100, lengthMax: 100 });
    await learnPace(place, place.fill(), 40, 1_000);
    const { enter } = place;
    let waiting = 0;
    let refusal: unknown = null;
    while (refusal === null && waiting < 100) {
      try {
        enter();
        waiting++;
      } catch (thrown) {
        refusal = thrown;
      }
    }
    assert.equal(waiting, 4);
    assert.ok(refusal instanceof HeadgateError);
    assert.match(refusal.message, /^gpu-box is saturated: .* about 2\.5 s, and queue\.waitMs allows 2\.1 s\./);
    assert.deepEqual([refusal.code, refusal.retryAfterMs], ["overloaded", 1_000]);
  });

  test("is judged by the caller's deadline where that is shorter", async () => {
    const place = createPlace(2, { lengthMax: 100 });
    await learnPace(place, place.fill(), 40, 1_000);
    const nowMs = place.clock.monotonicMs();
    place.enter();
    assert.throws(() => place.enter({ dueMs: nowMs + 900 }), {
      code: "overloaded",
      message: /its deadline allows 900 ms/,
    });
    assert.equal(await stateOf(place.enter({ dueMs: nowMs + 1_100 })), "waiting");
  });

  test("is judged by the pace of saturated times only", async () => {
    const place = createPlace(2, { waitMs: 2_100 });
    const first = place.fill();
    await learnPace(place, first, 40, 1_000);
    place.target.configure({ concurrency: 4, adaptive: false }, rules);
    place.clock.advance(20_000);
    place.target.configure({ concurrency: 2, adaptive: false }, rules);
    assert.equal(await stateOf(place.enter()), "waiting");
  });

  test("is one tenant's affair: another is expected to be served soon", async () => {
    const place = createPlace(2, { waitMs: 2_100, lengthMax: 100 });
    await learnPace(place, place.fill(), 40, 1_000);
    for (let waiting = 0; waiting < 4; waiting++) place.enter();
    assert.throws(() => place.enter(), { code: "overloaded" });
    assert.equal(await stateOf(place.enter({ tenantId: "b" })), "waiting");
  });

  test("is everything when no wait is allowed", () => {
    const { target, enter, fill } = createPlace(1, { waitMs: 0 });
    fill();
    assert.throws(() => enter(), {
      code: "overloaded",
      message: "gpu-box is saturated: this request would have to wait, and queue.waitMs allows 0 ms. Try again later.",
    });
    assert.equal(target.standing.waitingInteractive, 0);
  });
});

describe("another concurrency", () => {
  test("lets calls that wait go at once when it is higher", async () => {
    const { target, enter, fill } = createPlace(1);
    fill();
    const [one, two, three] = [enter(), enter(), enter()];
    target.configure({ concurrency: 3, adaptive: false }, rules);
    assert.deepEqual(await Promise.all([one, two, three].map(stateOf)), ["its turn", "its turn", "waiting"]);
  });

  test("gives no slot until enough calls have left when it is lower", async () => {
    const { target, enter, fill } = createPlace(3);
    const running = fill();
    const pass = enter();
    target.configure({ concurrency: 1, adaptive: false }, rules);
    running[0]?.leave();
    running[1]?.leave();
    assert.deepEqual([await stateOf(pass), target.standing.running], ["waiting", 1]);
    running[2]?.leave();
    assert.equal(await stateOf(pass), "its turn");
  });
});

describe("a drain", () => {
  test("refuses those who wait and those who would have to, and leaves those who run", async () => {
    const { clock, target, enter, fill } = createPlace(1);
    const [running] = fill();
    const pass = enter();
    target.drain();
    assert.deepEqual([await stateOf(pass), clock.pendingCount, target.standing.running], ["shutting_down", 0, 1]);
    assert.throws(() => enter(), { code: "shutting_down", retryAfterMs: 1_000 });
    running?.leave();
    assert.equal(enter().ready, null);
  });
});
