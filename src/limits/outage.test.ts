import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aScope, createLimitsWorld, demand, estimate, type LimitsWorld } from "../../test/support/limits-world.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { DrawRequest } from "../storage/escrow/bank.ts";
import type { Limits, Reservation } from "./limits.ts";

const ACCOUNT = "alw_1||0";
const away = (): never => {
  throw new HeadgateError("storage_unavailable", "The database is away.");
};

function reserve(limits: Limits, amount: bigint): Reservation | Promise<Reservation> {
  return limits.reserve(aScope, estimate(demand(amount)));
}

function settle(world: LimitsWorld, reservation: Reservation, amount: bigint): void {
  world.bank.settle(reservation.settle(demand(amount)));
  reservation.committed();
}

function ownersOf(world: LimitsWorld): readonly string[] {
  return [...world.bank.owners.keys()];
}

function sequencesOf(world: LimitsWorld): readonly number[] {
  return world.bank.calls
    .filter(({ operation }) => operation === "draw")
    .flatMap(({ detail }) => detail as readonly DrawRequest[])
    .map(({ sequence }) => sequence);
}

describe("while the bank is away", () => {
  test("requests go on from what is in hand, and others are refused at once", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1_000n });
    const limits = await world.open();
    settle(world, await reserve(limits, 100n), 0n);
    world.bank.before = away;
    await world.advance(20_000);
    assert.ok(!(reserve(limits, 60n) instanceof Promise));
    await assert.rejects(async () => reserve(limits, 60n), { code: "storage_unavailable", retryAfterMs: 250 });
    await assert.rejects(async () => reserve(limits, 60n), { code: "storage_unavailable" });
    assert.deepEqual(world.events, ["unreachable: HeadgateError: The database is away."]);
    world.bank.before = () => {};
    await world.advance(300);
    assert.equal((await reserve(limits, 60n)).heldAmounts[0]?.amount, 60n);
    assert.deepEqual(world.events.slice(1), ["reachable"]);
  });

  test("nothing is taken from what is in hand once the lease may be over", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1_000n, policy: "expected" });
    const limits = await world.open();
    settle(world, await reserve(limits, 100n), 0n);
    const open = await reserve(limits, 10n);
    world.bank.before = away;
    await world.advance(26_900);
    assert.ok(!(reserve(limits, 1n) instanceof Promise));
    assert.equal(open.extend(demand(1)), null);
    await world.advance(200);
    assert.throws(() => reserve(limits, 1n), { code: "storage_unavailable", status: 503 });
    assert.throws(() => open.extend(demand(1)), { code: "storage_unavailable" });
    settle(world, open, 11n);
  });

  test("a process that was stopped for longer than its lease takes nothing when it goes on", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    settle(world, await reserve(limits, 100n), 0n);
    // The timers fire late, all at once.
    world.bank.before = away;
    world.clock.advance(60_000);
    assert.throws(() => reserve(limits, 1n), { code: "storage_unavailable" });
  });

  test("a lease counts from before its renewal was sent, however late the answer", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    settle(world, await reserve(limits, 100n), 0n);
    const answer = Promise.withResolvers<void>();
    world.bank.after = (operation) => (operation === "renew" ? answer.promise : undefined);
    for (let step = 0; step < 3; step++) {
      await world.advance(8_900);
      settle(world, await reserve(limits, 1n), 0n);
    }
    world.bank.before = away;
    answer.resolve();
    await world.advance(600);
    assert.throws(() => reserve(limits, 1n), { code: "storage_unavailable" });
  });

  test("allowances that are not on a request's path do not matter", async () => {
    const world = createLimitsWorld();
    world.allow({ operation: "embeddings" });
    const limits = await world.open();
    world.bank.before = away;
    await world.advance(60_000);
    assert.deepEqual((await reserve(limits, 5n)).heldAmounts, []);
  });

  test("a process begins, and refuses what allowances limit until the bank has answered", async () => {
    const world = createLimitsWorld();
    world.allow({});
    world.bank.before = away;
    const limits = await world.open();
    await world.advance(1_000);
    assert.throws(() => reserve(limits, 5n), { code: "storage_unavailable", retryAfterMs: 250 });
    world.bank.before = () => {};
    await world.advance(300);
    assert.equal((await reserve(limits, 5n)).heldAmounts[0]?.amount, 5n);
    assert.equal(ownersOf(world).length, 1);
    assert.deepEqual(world.events, ["unreachable: HeadgateError: The database is away.", "reachable"]);
    await world.until(limits[Symbol.asyncDispose]());
  });

  test("a process that has never reached it closes at once", async () => {
    const world = createLimitsWorld();
    world.bank.before = away;
    const limits = await world.open();
    await limits[Symbol.asyncDispose]();
    assert.equal(world.clock.pendingCount, 0);
  });

  test("a failure that is not the bank's is not taken for one", async () => {
    const world = createLimitsWorld();
    world.bank.before = () => {
      throw new TypeError("A bug.");
    };
    await assert.rejects(world.open(), TypeError);
  });
});

describe("a draw whose answer is lost", () => {
  test("is repeated until it is answered, so that nothing is granted twice", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    world.bank.after = (operation) => (operation === "draw" ? away() : undefined);
    await assert.rejects(async () => reserve(limits, 60n), { code: "storage_unavailable" });
    assert.throws(() => reserve(limits, 60n), { code: "storage_unavailable" });
    await world.advance(600);
    world.bank.after = () => {};
    await world.advance(300);
    assert.deepEqual(new Set(sequencesOf(world)), new Set([1]));
    assert.equal(world.bank.accountOf(ACCOUNT).granted, 60n);
    assert.ok(!(reserve(limits, 60n) instanceof Promise));
    assert.equal((await reserve(limits, 40n)).heldAmounts[0]?.amount, 40n);
  });

  test("and was refused is asked anew, for there may be room by now", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 50n });
    const limits = await world.open();
    world.bank.after = (operation) => (operation === "draw" ? away() : undefined);
    await assert.rejects(async () => reserve(limits, 60n), { code: "storage_unavailable" });
    world.bank.after = () => {};
    world.allow({ limit: 100n });
    await world.advance(250);
    const reservation = await reserve(limits, 60n);
    assert.equal(reservation.heldAmounts[0]?.amount, 60n);
    assert.deepEqual(sequencesOf(world), [1, 1, 2]);
  });

  test("is not followed by another operation before it is answered, while what is in hand can be used", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1_000n });
    const limits = await world.open();
    settle(world, await reserve(limits, 100n), 0n);
    world.bank.before = (operation) => (operation === "renew" ? undefined : away());
    await assert.rejects(async () => reserve(limits, 200n), { code: "storage_unavailable" });
    const inHand = await reserve(limits, 100n);
    await world.advance(12_000);
    assert.deepEqual(sequencesOf(world), [1]);
    world.bank.before = () => {};
    await world.advance(300);
    assert.deepEqual(sequencesOf(world).slice(0, 2), [1, 2]);
    settle(world, inHand, 100n);
  });
});

test("a return whose answer is lost is repeated, and gives back once", async () => {
  const world = createLimitsWorld();
  world.allow({ limit: 100n });
  const limits = await world.open();
  settle(world, await reserve(limits, 60n), 0n);
  world.bank.after = (operation) => (operation === "giveBack" ? away() : undefined);
  await world.advance(11_000);
  world.bank.after = () => {};
  await world.advance(300);
  assert.ok(world.bank.count("giveBack") > 1);
  assert.equal(world.bank.accountOf(ACCOUNT).granted, 0n);
  assert.equal((await reserve(limits, 100n)).heldAmounts[0]?.amount, 100n);
});

describe("a process whose owner was fenced", () => {
  async function fence(world: LimitsWorld): Promise<void> {
    world.bank.before = away;
    await world.advance(31_000);
    await world.bank.reap();
    world.bank.before = () => {};
    await world.advance(600);
  }

  test("goes on under a new owner, while what is open settles under the old one", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n, policy: "expected" });
    const limits = await world.open();
    const before = await reserve(limits, 40n);
    settle(world, await reserve(limits, 20n), 0n);
    await fence(world);
    const [old, current] = ownersOf(world);
    assert.ok(world.events.includes(`fenced ${old}`));
    assert.throws(() => before.extend(demand(1)), { code: "owner_fenced" });
    const after = await reserve(limits, 30n);
    assert.equal(after.heldAmounts[0]?.ownerId, current);
    const moves = before.settle(demand(50));
    assert.deepEqual(moves, [{ ownerId: old, accountId: ACCOUNT, fromGrant: 50n, overdraft: 0n }]);
    const suspended = world.bank.accountOf(ACCOUNT).suspense;
    world.bank.settle(moves);
    assert.equal(world.bank.accountOf(ACCOUNT).suspense, suspended - 50n);
  });

  test("finishes the old owner when all that it did is committed and delivered, not before", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const delivery = Promise.withResolvers<void>();
    let deliveries = 0;
    const delivered = (): Promise<void> => {
      deliveries++;
      return delivery.promise;
    };
    const limits = await world.open({ delivered });
    const [first, second] = [await reserve(limits, 30n), await reserve(limits, 20n)];
    await fence(world);
    settle(world, first, 10n);
    await world.advance(600);
    assert.equal(deliveries, 0);
    world.bank.settle(second.settle(demand(5)));
    await world.advance(600);
    assert.equal(deliveries, 0);
    second.committed();
    await world.advance(600);
    assert.deepEqual([deliveries, world.bank.count("finish")], [1, 0]);
    delivery.resolve();
    await world.flush();
    assert.deepEqual([world.bank.count("finish"), world.bank.accountOf(ACCOUNT).suspense], [1, 0n]);
    assert.deepEqual(world.bank.accountOf(ACCOUNT).spent, 15n);
    assert.equal((await reserve(limits, 85n)).heldAmounts[0]?.amount, 85n);
  });

  test("finishes it again where the bank did not answer", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    const open = await reserve(limits, 30n);
    await fence(world);
    settle(world, open, 30n);
    world.bank.after = (operation) => (operation === "finish" ? away() : undefined);
    await world.advance(600);
    world.bank.after = () => {};
    await world.advance(600);
    const finished = world.bank.count("finish");
    assert.ok(finished >= 2, `${finished}`);
    await world.advance(1_000);
    assert.equal(world.bank.count("finish"), finished);
  });

  test("learns of it from a draw as well", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n, policy: "expected" });
    const limits = await world.open();
    settle(world, await reserve(limits, 50n), 0n);
    const open = await reserve(limits, 10n);
    for (const owner of world.bank.owners.values()) owner.isFenced = true;
    await assert.rejects(async () => reserve(limits, 60n), { code: "storage_unavailable" });
    assert.throws(() => open.extend(demand(1)), { code: "owner_fenced" });
    assert.throws(() => reserve(limits, 1n), { code: "storage_unavailable" });
    await world.advance(300);
    assert.equal((await reserve(limits, 10n)).heldAmounts[0]?.ownerId, ownersOf(world)[1]);
  });

  test("is told to try again until there is a new owner, which is registered at once", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    for (const owner of world.bank.owners.values()) owner.isFenced = true;
    await assert.rejects(async () => reserve(limits, 10n), { code: "storage_unavailable" });
    assert.throws(() => reserve(limits, 10n), { code: "storage_unavailable", retryAfterMs: 250 });
    await world.flush();
    assert.equal((await reserve(limits, 10n)).heldAmounts[0]?.ownerId, ownersOf(world)[1]);
  });

  test("registers with the same id until the bank has answered, with another one if that was fenced meanwhile", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    for (const owner of world.bank.owners.values()) owner.isFenced = true;
    world.bank.after = (operation) => (operation === "register" ? away() : undefined);
    await world.advance(1_000);
    assert.equal(ownersOf(world).length, 2);
    assert.ok(world.bank.count("register") > 2);
    for (const owner of world.bank.owners.values()) owner.isFenced = true;
    world.bank.after = () => {};
    await world.advance(1_000);
    assert.equal((await reserve(limits, 10n)).heldAmounts[0]?.ownerId, ownersOf(world)[2]);
  });
});

describe("a process that closes", () => {
  test("refuses who waits and who comes, gives back what is free, and finishes when nothing is open", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const [limits, other] = [await world.open(), await world.open()];
    settle(world, await reserve(other, 30n), 0n);
    await reserve(other, 30n);
    settle(world, await reserve(limits, 50n), 0n);
    const open = await reserve(limits, 20n);
    const waiting = assert.rejects(async () => reserve(limits, 60n), { code: "shutting_down" });
    await world.flush();
    let isClosed = false;
    const closing = limits[Symbol.asyncDispose]().then(() => (isClosed = true));
    await waiting;
    assert.throws(() => reserve(limits, 1n), { code: "shutting_down" });
    await world.advance(600);
    assert.equal(isClosed, false);
    assert.equal(world.bank.accountOf(ACCOUNT).granted, 50n, "only what is held is left");
    settle(world, open, 7n);
    await world.advance(300);
    await closing;
    assert.equal(world.bank.accountOf(ACCOUNT).granted, 30n);
    await world.until(other[Symbol.asyncDispose]());
    assert.equal(world.clock.pendingCount, 0);
  });

  test("closes at once when nothing is open, and once", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    settle(world, await reserve(limits, 50n), 50n);
    const closing = limits[Symbol.asyncDispose]();
    await Promise.all([closing, limits[Symbol.asyncDispose]()]);
    assert.equal(world.bank.count("finish"), 1);
    assert.equal(world.clock.pendingCount, 0);
  });

  test("waits for open reservations only so long, and leaves their owner to recovery", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open({ closeWaitMs: 1_000 });
    await reserve(limits, 50n);
    await world.until(limits[Symbol.asyncDispose]());
    assert.equal(world.bank.count("finish"), 0);
    assert.ok(world.clock.monotonicMs() <= 1_300);
    assert.equal(world.clock.pendingCount, 0);
  });
});
