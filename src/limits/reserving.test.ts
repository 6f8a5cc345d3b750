import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  anAllowance,
  aScope,
  createLimitsWorld,
  demand,
  estimate,
  type LimitsWorld,
} from "../../test/support/limits-world.ts";
import type { HeadgateError } from "../kernel/errors.ts";
import type { Limits, Reservation } from "./limits.ts";

const ACCOUNT = "alw_1||0";

/** Reserves, settles with nothing and commits, so that the amount is in hand. */
async function fill(limits: Limits, amount: bigint): Promise<void> {
  const reservation = await limits.reserve(aScope, estimate(demand(amount)));
  reservation.settle(null);
  reservation.committed();
}

function atOnce(reserving: Reservation | Promise<Reservation>): Reservation {
  assert.ok(!(reserving instanceof Promise), "it waits");
  return reserving;
}

/** What it is refused with, at once or while time passes. */
async function refusalOf(
  world: LimitsWorld,
  reserving: () => Reservation | Promise<Reservation>,
): Promise<HeadgateError> {
  const outcome = Promise.try(reserving).then(
    () => assert.fail("it is not refused"),
    (refusal: HeadgateError) => refusal,
  );
  return world.until(outcome);
}

describe("a request", () => {
  test("that no allowance limits holds nothing and asks nobody", async () => {
    const world = createLimitsWorld();
    const limits = await world.open();
    const reservation = atOnce(limits.reserve(aScope, estimate(demand(5))));
    assert.deepEqual(reservation.heldAmounts, []);
    assert.equal(reservation.growing, false);
    assert.equal(reservation.extend(demand(5)), null);
    assert.deepEqual(reservation.settle(demand(5)), []);
    reservation.committed();
    assert.equal(world.bank.count("draw"), 0);
    assert.equal(limits.reserve(aScope, estimate(demand(1))), reservation);
  });

  test("waits for the first draw and is served at once from what is in hand then", async () => {
    const world = createLimitsWorld();
    world.allow({});
    const limits = await world.open();
    const first = limits.reserve(aScope, estimate(demand(100)));
    assert.ok(first instanceof Promise);
    const reservation = await first;
    const [held] = reservation.heldAmounts;
    assert.deepEqual(held, { ownerId: [...world.bank.owners.keys()][0], accountId: ACCOUNT, amount: 100n });
    assert.deepEqual(reservation.settle(demand(60)), [
      { ownerId: held?.ownerId, accountId: ACCOUNT, fromGrant: 60n, overdraft: 0n },
    ]);
    reservation.committed();
    const drawn = world.bank.count("draw");
    atOnce(limits.reserve(aScope, estimate(demand(40))));
    assert.equal(world.bank.count("draw"), drawn);
  });

  test("keeps what it held and did not use until its settlement is committed", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(100)));
    reservation.settle(demand(30));
    const refusal = await refusalOf(world, () => limits.reserve(aScope, estimate(demand(70))));
    assert.equal(refusal.code, "budget_exhausted");
    reservation.committed();
    reservation.committed();
    atOnce(limits.reserve(aScope, estimate(demand(70))));
    const again = await refusalOf(world, () => limits.reserve(aScope, estimate(demand(1))));
    assert.equal(again.code, "budget_exhausted");
  });

  test("that used more than it held takes the rest from what is free, and only then beyond", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    const limits = await world.open();
    await fill(limits, 100n);
    const reservation = atOnce(limits.reserve(aScope, estimate(demand(30))));
    const [move] = reservation.settle(demand(130));
    assert.deepEqual([move?.fromGrant, move?.overdraft], [100n, 30n]);
  });

  test("passes every allowance or none", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 100n });
    world.allow({ id: "alw_2", name: "small", limit: 10n });
    const limits = await world.open();
    await fill(limits, 10n);
    const refusal = await refusalOf(world, () => limits.reserve(aScope, estimate(demand(11))));
    assert.deepEqual([refusal.code, refusal.allowance, refusal.status], ["budget_exhausted", "small", 402]);
    const all = await Promise.all(Array.from({ length: 10 }, async () => limits.reserve(aScope, estimate(demand(1)))));
    assert.deepEqual(
      all.map(({ heldAmounts }) => heldAmounts.map(({ amount }) => amount)),
      Array.from({ length: 10 }, () => [1n, 1n]),
    );
  });

  test("holds the worst case of a strict allowance and the first slice of another", async () => {
    const world = createLimitsWorld();
    world.allow({ policy: "strict" });
    world.allow({ id: "alw_2", name: "slices", policy: "expected" });
    world.allow({ id: "alw_3", name: "tokens", meter: "tokens", policy: "expected", window: "day" });
    world.allow({ id: "alw_4", name: "requests", meter: "requests", window: "day" });
    world.allow({ id: "alw_5", name: "slots", meter: "slots", limit: 3n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(90, 900), demand(20, 200)));
    const heldOf = async (): Promise<readonly bigint[]> =>
      (await limits.preview(aScope, estimate(demand(0)))).map(
        ({ allowance, available }) => allowance.limit - available,
      );
    assert.deepEqual(await heldOf(), [90n, 20n, 200n, 1n, 1n]);
    assert.equal(reservation.growing, true);
    await (reservation.extend(demand(5, 50)) ?? undefined);
    assert.deepEqual(await heldOf(), [90n, 25n, 250n, 1n, 1n]);
    assert.deepEqual(
      reservation.settle(demand(21, 210)).map(({ fromGrant }) => fromGrant),
      [21n, 21n, 210n, 1n],
    );
  });

  test("that costs nothing needs no room", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 0n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(0)));
    assert.deepEqual(reservation.heldAmounts, []);
    assert.deepEqual(reservation.settle(demand(0)), []);
  });

  test("does not count where nothing reached a provider", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "requests", window: "day", limit: 1n });
    const limits = await world.open();
    const first = await limits.reserve(aScope, estimate(demand(0)));
    assert.deepEqual(first.settle(null), []);
    first.committed();
    const second = await limits.reserve(aScope, estimate(demand(0)));
    assert.equal(second.settle(demand(0)).length, 1);
    second.committed();
    const refusal = await refusalOf(world, () => limits.reserve(aScope, estimate(demand(0))));
    assert.equal(refusal.code, "budget_exhausted");
  });

  test("gives its slot back when it settles, and to who waits first", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "slots", name: "two at a time", limit: 2n });
    const limits = await world.open();
    const [first] = await Promise.all([1, 2].map(async () => limits.reserve(aScope, estimate(demand(1)))));
    const refusal = await refusalOf(world, () => limits.reserve(aScope, estimate(demand(1))));
    assert.deepEqual([refusal.code, refusal.status, refusal.allowance], ["slots_exhausted", 429, "two at a time"]);
    assert.ok((refusal.retryAfterMs ?? 0) > 0);
    assert.deepEqual(first?.settle(demand(1)), []);
    atOnce(limits.reserve(aScope, estimate(demand(1))));
  });
});

describe("an answer that grows", () => {
  test("is charged as far as it has grown if the process dies, where the worst case is held too", async () => {
    const world = createLimitsWorld();
    world.allow({ policy: "expected" });
    world.allow({ id: "alw_2", name: "strict" });
    const limits = await world.open();
    const charged = (of: Reservation): readonly bigint[] => of.heldAmounts.map(({ amount }) => amount);
    const reservation = await limits.reserve(aScope, estimate(demand(900), demand(60)));
    assert.deepEqual(charged(reservation), [60n, 60n]);
    await reservation.extend(demand(30));
    assert.deepEqual(charged(reservation), [90n, 90n]);
    assert.equal(world.bank.accountOf("alw_2||0").granted, 900n);
    await assert.rejects(async () => limits.reserve(aScope, estimate(demand(101), demand(1))), { allowance: "strict" });
    const [, strict] = reservation.settle(demand(500));
    assert.deepEqual([strict?.fromGrant, strict?.overdraft], [500n, 0n]);
  });

  test("is extended from what is in hand without waiting", async () => {
    const world = createLimitsWorld();
    world.allow({ policy: "expected" });
    const limits = await world.open();
    await fill(limits, 100n);
    const reservation = atOnce(limits.reserve(aScope, estimate(demand(90), demand(10))));
    assert.equal(reservation.extend(demand(20)), null);
    assert.equal(reservation.heldAmounts[0]?.amount, 30n);
  });

  test("keeps what it holds when it is refused more", async () => {
    const world = createLimitsWorld();
    world.allow({ policy: "expected", limit: 100n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(900), demand(60)));
    await assert.rejects(async () => reservation.extend(demand(41)), {
      code: "budget_exhausted",
      allowance: "monthly",
      retryAfterMs: null,
    });
    assert.equal(reservation.heldAmounts[0]?.amount, 60n);
    await (reservation.extend(demand(40)) ?? undefined);
    const [move] = reservation.settle(demand(130));
    assert.deepEqual([move?.fromGrant, move?.overdraft], [100n, 30n]);
  });

  test("is told that trying again can help where others hold what it lacks, not where it does itself", async () => {
    const world = createLimitsWorld();
    world.allow({ policy: "expected", limit: 100n });
    const limits = await world.open();
    const answer = await limits.reserve(aScope, estimate(demand(900), demand(60)));
    await limits.reserve(aScope, estimate(demand(40)));
    const refusals = [];
    for (const more of [41n, 40n]) {
      const asking = Promise.try(() => answer.extend(demand(more)));
      const refusal = asking.then(
        () => assert.fail("it is not refused"),
        (thrown: HeadgateError) => thrown,
      );
      refusals.push((await world.until(refusal)).retryAfterMs);
    }
    assert.deepEqual(refusals, [null, 1_000]);
  });

  test("holds no more once it has settled, though the bank was asked", async () => {
    const world = createLimitsWorld();
    world.allow({ policy: "expected", limit: 100n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(900), demand(60)));
    const answer = Promise.withResolvers<void>();
    world.bank.after = () => answer.promise;
    const extension = reservation.extend(demand(10));
    assert.ok(extension instanceof Promise);
    await world.flush();
    const [move] = reservation.settle(demand(60));
    assert.deepEqual([move?.fromGrant, move?.overdraft], [60n, 0n]);
    reservation.committed();
    await extension;
    answer.resolve();
    const next = await limits.reserve(aScope, estimate(demand(40), demand(40)));
    assert.equal(next.heldAmounts[0]?.amount, 40n);
  });

  test("may be asked to grow by nothing", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 5n });
    const limits = await world.open();
    const reservation = await limits.reserve(aScope, estimate(demand(5)));
    assert.equal(reservation.extend(demand(100)), null);
  });
});

describe("an allowance", () => {
  test("counts each project, key and end user apart where it names none", async () => {
    const world = createLimitsWorld();
    const scope = { ...anAllowance.scope, kind: "end-user" } as const;
    world.allow({ scope, limit: 10n });
    const limits = await world.open();
    const of = (endUser: string | null) => limits.reserve({ ...aScope, endUser }, estimate(demand(10)));
    await of("ada");
    await of("bob|0");
    assert.equal((await refusalOf(world, () => of("ada"))).code, "budget_exhausted");
    assert.deepEqual(atOnce(of(null)).heldAmounts, []);
    assert.deepEqual([...world.bank.accounts.keys()], ["alw_1|ada|0", "alw_1|bob|0|0"]);
  });

  test("of mode soft or shadow refuses nobody and tells what it would have refused", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 25n, mode: "soft", name: "soft" });
    world.allow({ id: "alw_2", limit: 15n, mode: "shadow", name: "shadow" });
    const limits = await world.open();
    for (let request = 0; request < 3; request++) {
      const reservation = await limits.reserve(aScope, estimate(demand(10)));
      await world.flush();
      world.bank.settle(reservation.settle(demand(10)));
      reservation.committed();
      await world.advance(50);
    }
    assert.deepEqual(world.events, ["shadow refusal: shadow ", "soft limit passed: soft ", "shadow refusal: shadow "]);
  });

  test("that is a rate in shadow tells once for each request beyond it", async () => {
    const world = createLimitsWorld();
    world.allow({ meter: "requests", window: "minute", limit: 3n, mode: "shadow", name: "rpm" });
    const limits = await world.open();
    for (let request = 0; request < 6; request++) (await limits.reserve(aScope, estimate(demand(1)))).settle(demand(1));
    assert.equal(world.events.length, 3);
    await world.advance(60_000);
    await limits.reserve(aScope, estimate(demand(1)));
    assert.equal(world.events.length, 3);
  });

  test("of which the bank says that nothing limits it any more holds nothing and settles nothing", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 1n });
    world.allow({ id: "alw_2", limit: 100n });
    const limits = await world.open();
    world.bank.allowances.delete("alw_1");
    const reservation = await limits.reserve(aScope, estimate(demand(50)));
    assert.deepEqual(
      reservation.heldAmounts.map(({ accountId }) => accountId),
      ["alw_2||0"],
    );
    assert.deepEqual(
      reservation.settle(demand(50)).map(({ accountId }) => accountId),
      ["alw_2||0"],
    );
    reservation.committed();
    world.bank.allowances.set("alw_1", { ...anAllowance, limit: 1n });
    assert.deepEqual((await limits.reserve(aScope, estimate(demand(40)))).heldAmounts.length, 1, "for a moment");
    await world.advance(1_300);
    assert.equal((await refusalOf(world, () => limits.reserve(aScope, estimate(demand(50))))).allowance, "monthly");
  });

  test("that is raised admits again at once", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 10n });
    const limits = await world.open();
    await refusalOf(world, () => limits.reserve(aScope, estimate(demand(20))));
    world.allow({ limit: 100n });
    const reservation = await limits.reserve(aScope, estimate(demand(20)));
    assert.equal(reservation.heldAmounts[0]?.amount, 20n);
  });

  test("that is made soft refuses nobody any more, from what is known of it as well", async () => {
    const world = createLimitsWorld();
    world.allow({ limit: 10n });
    const limits = await world.open();
    await fill(limits, 10n);
    world.allow({ mode: "soft" });
    await limits.reserve(aScope, estimate(demand(10)));
    await limits.reserve(aScope, estimate(demand(10)));
    assert.deepEqual(world.events, ["soft limit passed: monthly "]);
  });

  test("begins anew with its window, while what began before settles where it began", async () => {
    const world = createLimitsWorld(Date.UTC(2026, 10, 30, 23, 59, 59));
    world.allow({ window: "month", timeZone: "UTC", limit: 10n });
    const limits = await world.open();
    const before = await limits.reserve(aScope, estimate(demand(10)));
    const refusal = await refusalOf(world, () => limits.reserve(aScope, estimate(demand(1))));
    assert.match(refusal.message, /begins anew at 2026-12-01T00:00:00\+00:00 \(UTC\)\.$/);
    await world.advance(1_000);
    const after = await limits.reserve(aScope, estimate(demand(10)));
    assert.equal(before.settle(demand(10))[0]?.accountId, `alw_1||${Date.UTC(2026, 10, 1)}`);
    assert.equal(after.settle(demand(10))[0]?.accountId, `alw_1||${Date.UTC(2026, 11, 1)}`);
  });
});

test("a wall clock that is wrong, or jumps, changes no window: the bank's time counts", async () => {
  const world = createLimitsWorld(Date.UTC(2026, 10, 15));
  world.allow({ window: "day" });
  const wrong = { ...world.clock, wallMs: () => Date.UTC(2031, 0), monotonicMs: () => world.clock.monotonicMs() + 777 };
  const limits = await world.open({ clock: wrong });
  const reservation = await limits.reserve(aScope, estimate(demand(1)));
  assert.equal(reservation.heldAmounts[0]?.accountId, `alw_1||${Date.UTC(2026, 10, 15)}`);
});

test("a reservation is settled once", async () => {
  const world = createLimitsWorld();
  world.allow({});
  const limits = await world.open();
  const reservation = await limits.reserve(aScope, estimate(demand(5)));
  assert.throws(() => reservation.committed(), /settled/);
  reservation.settle(demand(5));
  assert.throws(() => reservation.settle(demand(5)), /once/);
  assert.throws(() => reservation.extend(demand(5)), /held/);
});
