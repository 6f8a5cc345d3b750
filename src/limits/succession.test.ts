import assert from "node:assert/strict";
import { test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate } from "../../test/support/limits-world.ts";
import type { Allowance } from "./allowance.ts";
import type { Reservation } from "./limits.ts";

/** A world with one allowance, a process, and the reservation of a first call. */
async function open(allowance: Partial<Allowance>, needs = demand(800, 800)) {
  const world = createLimitsWorld();
  world.allow(allowance);
  const limits = await world.open();
  const first = await world.until(Promise.resolve(limits.reserve(aScope, estimate(needs))));
  const next = (earlier: readonly Reservation[]): Promise<Reservation> =>
    world.until(Promise.resolve(limits.reserve(aScope, estimate(needs), earlier)));
  return { world, first, next };
}

test("what a call held and did not use is there for the next one, once that is committed", async () => {
  const { first, next } = await open({ limit: 1_000n });
  assert.deepEqual(
    first.shrink(demand(100)).map(({ amount }) => amount),
    [100n],
  );
  await assert.rejects(next([first]), { code: "budget_exhausted" });
  first.shrunk();
  const second = await next([first]);
  assert.deepEqual(
    second.heldAmounts.map(({ amount }) => amount),
    [800n],
  );
});

test("what became free is settled by neither, and both settle what they used", async () => {
  const { first, next } = await open({ limit: 1_000n });
  first.shrink(demand(100));
  first.shrunk();
  const second = await next([first]);
  const moves = [...first.settle(demand(100)), ...second.settle(demand(300))];
  assert.deepEqual(
    moves.map(({ fromGrant, overdraft }) => [fromGrant, overdraft]),
    [
      [100n, 0n],
      [300n, 0n],
    ],
  );
});

test("what a call used beyond what it held is held too, also for the journal, and no other call gets it", async () => {
  for (const used of [700n, 1_200n]) {
    const needs = estimate(demand(5_000), demand(500));
    const world = createLimitsWorld();
    world.allow({ limit: 1_000n, policy: "expected" });
    const limits = await world.open();
    const first = await world.until(Promise.resolve(limits.reserve(aScope, needs)));
    const held = first.shrink(demand(Number(used)));
    assert.deepEqual(
      held.map(({ amount }) => amount),
      [used],
    );
    first.shrunk();
    await assert.rejects(world.until(Promise.resolve(limits.reserve(aScope, needs, [first]))), {
      code: "budget_exhausted",
    });
    const [move] = first.settle(demand(Number(used)));
    assert.ok(move);
    assert.equal(move.fromGrant + move.overdraft, used);
  }
});

test("calls of one request count as one request, and take one slot", async () => {
  for (const meter of ["requests", "slots"] as const) {
    const { first, next } = await open({ meter, limit: 1n });
    const second = await next([first]);
    assert.deepEqual(second.heldAmounts, []);
    assert.deepEqual(second.settle(demand(1)), []);
    second.committed();
    await assert.rejects(next([]), { code: meter === "slots" ? "slots_exhausted" : "budget_exhausted" }, meter);
    const counted = first.settle(demand(0));
    assert.equal(counted.length, meter === "requests" ? 1 : 0);
  }
});

test("a reservation that settles before its rest was freed frees it when it is committed", async () => {
  const { first, next } = await open({ limit: 1_000n });
  first.shrink(demand(100));
  first.settle(demand(100));
  first.committed();
  assert.equal((await next([])).heldAmounts[0]?.amount, 800n);
});

test("a request is counted once among the refused, however many of its calls are", async () => {
  const { world, first, next } = await open({ limit: 1_000n });
  for (let call = 0; call < 3; call++) {
    await assert.rejects(async () => next([first]), { code: "budget_exhausted" });
  }
  await world.advance(1_500);
  assert.equal(world.bank.accountOf("alw_1||0").refusals, 1);
});

test("a request passes a limit that does not refuse once, however many of its calls do", async () => {
  const { world, first, next } = await open({ limit: 1_000n, mode: "soft", name: "soft" });
  const second = await next([first]);
  await next([first, second]);
  await world.advance(500);
  assert.deepEqual(world.events, ["soft limit passed: soft "]);
});

test("a call is not told to wait for what an earlier one of the same request holds", async () => {
  const { first, next } = await open({ limit: 1_000n });
  await assert.rejects(next([first]), { code: "budget_exhausted", retryAfterMs: null });
});

test("what was freed does not take the extension that it waited for", async () => {
  const world = createLimitsWorld();
  world.allow({ limit: 1_000n, policy: "expected" });
  const limits = await world.open();
  const first = await world.until(Promise.resolve(limits.reserve(aScope, estimate(demand(5_000), demand(700)))));
  const extension = first.extend(demand(900));
  first.shrink(demand(100));
  await extension;
  const beside = await world.until(Promise.resolve(limits.reserve(aScope, estimate(demand(200)))));
  assert.equal(beside.heldAmounts[0]?.amount, 200n);
});

test("the call that a provider saw counts the request at each account, though another was reserved first", async () => {
  const { first, next } = await open({ meter: "requests", limit: 5n });
  const second = await next([first]);
  assert.deepEqual(second.settle(demand(1)), []);
  assert.equal(first.settle(null).length, 1, "it counts for the second");
});

test("a request that no provider saw counts nowhere", async () => {
  const { first, next } = await open({ meter: "requests", limit: 5n });
  const second = await next([first]);
  assert.deepEqual([second.settle(null), first.settle(null)], [[], []]);
});
