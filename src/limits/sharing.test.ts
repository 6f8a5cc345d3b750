import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import type { HeadgateError } from "../kernel/errors.ts";
import type { DrawRequest, ReturnRequest } from "../storage/escrow/bank.ts";
import type { Limits, Reservation } from "./limits.ts";

const ACCOUNT = "alw_1||0";

async function hold(limits: Limits, amount: bigint): Promise<Reservation> {
  return limits.reserve(aScope, estimate(demand(amount)));
}

/** Settled with nothing, and committed. */
function giveUp(reservation: Reservation): void {
  reservation.settle(null);
  reservation.committed();
}

/** What it is refused with, and after how long. */
async function refusalOf(
  world: LimitsWorld,
  reserving: Promise<unknown>,
): Promise<HeadgateError & { afterMs: number }> {
  const sinceMs = world.clock.monotonicMs();
  const outcome = reserving.then(
    () => assert.fail("it is not refused"),
    (refusal: HeadgateError) => Object.assign(refusal, { afterMs: world.clock.monotonicMs() - sinceMs }),
  );
  return world.until(outcome);
}

function draws(world: LimitsWorld): readonly (readonly [need: bigint, want: bigint])[] {
  return world.bank.calls
    .filter(({ operation }) => operation === "draw")
    .flatMap(({ detail }) => detail as readonly DrawRequest[])
    .map(({ need, want }) => [need, want]);
}

function returns(world: LimitsWorld): readonly bigint[] {
  return world.bank.calls
    .filter(({ operation }) => operation === "giveBack")
    .flatMap(({ detail }) => detail as readonly ReturnRequest[])
    .map(({ amount }) => amount);
}

describe("what is drawn", () => {
  test("is shared by all who wait, the first of whom needs it and is served first", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100_000n });
    const limits = await world.open();
    const order: number[] = [];
    const waiting = [30n, 10n, 20n].map((amount, index) => hold(limits, amount).then(() => order.push(index)));
    await Promise.all(waiting);
    assert.deepEqual(draws(world)[0], [30n, 60n]);
    assert.deepEqual(order, [0, 1, 2]);
  });

  test("grows with use, so that a steady stream of requests seldom waits", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1_000_000n });
    const limits = await world.open();
    for (let request = 0; request < 200; request++) {
      const reservation = await hold(limits, 10n);
      world.bank.settle(reservation.settle(demand(10)));
      reservation.committed();
      await world.advance(10);
    }
    assert.ok(draws(world).length < 20, `${draws(world).length} draws`);
    const waited = [];
    for (let request = 0; request < 100; request++) {
      const reserving = limits.reserve(aScope, estimate(demand(10)));
      waited.push(reserving instanceof Promise);
      const reservation = await reserving;
      world.bank.settle(reservation.settle(demand(10)));
      reservation.committed();
      await world.advance(10);
    }
    assert.deepEqual(new Set(waited), new Set([false]));
  });

  test("is exactly what is needed when little is left", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    for (let request = 0; request < 4; request++) await hold(limits, 20n);
    assert.deepEqual(world.bank.accountOf(ACCOUNT).granted, 80n);
  });

  test("goes in one message for all the allowances of a request", async () => {
    const world = createLimitsWorld();
    for (let index = 1; index <= 5; index++) world.allow({ id: `alw_${index}`, name: `budget ${index}` });
    const limits = await world.open();
    await hold(limits, 10n);
    assert.equal(world.bank.count("draw"), 1);
  });

  test("goes back when it has not been used for a while: slots and rates soon, budgets later", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1_000n });
    world.allow({ id: "alw_2", meter: "slots", name: "slots" });
    world.allow({ id: "alw_3", meter: "tokens", window: "minute", name: "tpm" });
    const limits = await world.open();
    giveUp(await limits.reserve(aScope, estimate(demand(100, 100))));
    const granted = () => ["alw_1||0", "alw_2||0", "alw_3||0"].map((id) => world.bank.accountOf(id).granted > 0n);
    await world.advance(900);
    assert.deepEqual(granted(), [true, true, true]);
    await world.advance(700);
    assert.deepEqual(granted(), [true, false, false]);
    await world.advance(7_500);
    assert.deepEqual(granted(), [true, false, false]);
    await world.advance(1_700);
    assert.deepEqual(granted(), [false, false, false]);
  });

  test("goes back at once when its window has ended", async () => {
    const world = createLimitsWorld(Date.UTC(2026, 10, 30, 23, 59, 59));
    world.allow({ window: "day" });
    const limits = await world.open();
    giveUp(await hold(limits, 100n));
    const accountId = `alw_1||${Date.UTC(2026, 10, 30)}`;
    assert.ok(world.bank.accountOf(accountId).granted >= 100n);
    await world.advance(1_300);
    assert.equal(world.bank.accountOf(accountId).granted, 0n);
  });

  test("of a rate goes back when it was held for long, for it has drained at the bank", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "tokens", window: "minute", limit: 600n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(0, 600)));
    await world.advance(30_000);
    reservation.settle(demand(0, 100));
    reservation.committed();
    assert.ok(limits.reserve(aScope, estimate(demand(0, 500))) instanceof Promise, "it has to be asked for");
    await world.flush();
    assert.deepEqual(returns(world), [500n]);
    const refused = await refusalOf(
      world,
      Promise.try(() => limits.reserve(aScope, estimate(demand(0, 601)))),
    );
    assert.match(refused.message, /there will never be/);
    assert.equal(refused.retryAfterMs, null);
  });
});

describe("what others have idle", () => {
  test("is recalled for a request that would be refused, within the wait for it", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [rich, poor] = [await world.open(), await world.open()];
    giveUp(await hold(rich, 100n));
    const reservation = await world.until(hold(poor, 60n));
    assert.equal(reservation.heldAmounts[0]?.amount, 60n);
    assert.ok(world.clock.monotonicMs() <= 500, `after ${world.clock.monotonicMs()} ms`);
    assert.equal(world.bank.count("recall"), 1);
  });

  test("is put together from several", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const gateways = await Promise.all([world.open(), world.open(), world.open()]);
    for (const limits of gateways) giveUp(await hold(limits, 33n));
    const reservation = await world.until(hold(gateways[0], 100n));
    assert.equal(reservation.heldAmounts[0]?.amount, 100n);
  });

  test("is not waited for where it would not suffice", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [rich, poor] = [await world.open(), await world.open()];
    giveUp(await hold(rich, 50n));
    const refusal = await refusalOf(world, hold(poor, 101n));
    assert.deepEqual([refusal.code, refusal.afterMs, refusal.retryAfterMs], ["budget_exhausted", 0, null]);
    assert.equal(world.bank.count("recall"), 0);
  });

  test("is waited for no longer than that, when requests in flight hold it", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [busy, poor] = [await world.open(), await world.open()];
    await hold(busy, 100n);
    const refusal = await refusalOf(world, hold(poor, 10n));
    assert.equal(refusal.code, "budget_exhausted");
    assert.ok(refusal.afterMs >= 1_000 && refusal.afterMs <= 1_300, `after ${refusal.afterMs} ms`);
    assert.ok((refusal.retryAfterMs ?? 0) > 0, "what is held comes back");
    const next = await refusalOf(world, hold(poor, 10n));
    assert.equal(next.afterMs, 0, "the recall is still in force");
  });

  test("comes back as soon as it is free, for some seconds after a recall", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [busy, poor] = [await world.open(), await world.open()];
    const held = await hold(busy, 100n);
    await refusalOf(world, hold(poor, 10n));
    giveUp(held);
    await world.advance(300);
    assert.equal(world.bank.accountOf(ACCOUNT).granted, 0n);
    const reservation = await world.until(hold(poor, 10n));
    assert.equal(reservation.heldAmounts[0]?.amount, 10n);
  });

  test("does not keep a smaller request waiting behind a larger one", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [busy, poor] = [await world.open(), await world.open()];
    await hold(busy, 60n);
    giveUp(await hold(poor, 40n));
    const large = refusalOf(world, hold(poor, 90n));
    await world.flush();
    const small = limits(poor, 30n);
    assert.ok(!(small instanceof Promise));
    assert.equal((await large).code, "budget_exhausted");
  });
});

function limits(of: Limits, amount: bigint): Reservation | Promise<Reservation> {
  return of.reserve(aScope, estimate(demand(amount)));
}

describe("an exhausted allowance", () => {
  test("is asked once for a flood of requests, and again for a smaller one", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const gateway = await world.open();
    await hold(gateway, 80n);
    await refusalOf(world, hold(gateway, 50n));
    const asked = world.bank.count("draw");
    for (let request = 0; request < 100; request++) {
      assert.throws(() => limits(gateway, 50n + BigInt(request)), { code: "budget_exhausted" });
    }
    assert.equal(world.bank.count("draw"), asked);
    await refusalOf(world, hold(gateway, 40n));
    assert.equal(world.bank.count("draw"), asked + 1);
    const reservation = await hold(gateway, 20n);
    assert.equal(reservation.heldAmounts[0]?.amount, 20n);
  });

  test("is asked again after a moment", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const gateway = await world.open();
    await hold(gateway, 80n);
    await refusalOf(world, hold(gateway, 50n));
    const asked = world.bank.count("draw");
    await world.advance(250);
    await refusalOf(world, hold(gateway, 50n));
    assert.equal(world.bank.count("draw"), asked + 1);
  });

  test("is asked again after something was released here", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const gateway = await world.open();
    const held = await hold(gateway, 80n);
    await refusalOf(world, hold(gateway, 50n));
    const asked = world.bank.count("draw");
    world.bank.settle(held.settle(demand(79)));
    held.committed();
    await refusalOf(world, hold(gateway, 60n));
    assert.equal(world.bank.count("draw"), asked + 1);
  });

  test("serves who waits as soon as something is free here", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [gateway, other] = [await world.open(), await world.open()];
    await hold(other, 50n);
    const held = await hold(gateway, 50n);
    const waiting = hold(gateway, 50n);
    await world.advance(100);
    giveUp(held);
    assert.equal((await waiting).heldAmounts[0]?.amount, 50n);
    assert.equal(world.clock.monotonicMs(), 100);
  });

  test("of a rate says when there is room, and there is", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "requests", window: "minute", limit: 60n, burst: 2n });
    const gateway = await world.open();
    for (let request = 0; request < 2; request++) {
      world.bank.settle((await hold(gateway, 1n)).settle(demand(1)));
    }
    const refusal = await refusalOf(world, hold(gateway, 1n));
    assert.deepEqual([refusal.code, refusal.status], ["rate_limited", 429]);
    const retryAfterMs = refusal.retryAfterMs ?? 0;
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 1_000, `${retryAfterMs} ms`);
    await world.advance(retryAfterMs);
    await hold(gateway, 1n);
  });
});

test("an idle process asks the bank for nothing but its lease", async () => {
  const world = createLimitsWorld();
  world.allow({});
  const gateway = await world.open();
  giveUp(await hold(gateway, 10n));
  await world.advance(30_000);
  const before = world.bank.calls.length;
  await world.advance(10_000);
  assert.deepEqual(new Set(world.bank.calls.slice(before).map(({ operation }) => operation)), new Set(["renew"]));
  assert.equal(world.bank.accountOf(ACCOUNT).granted, 0n);
});
